//! `/kernel/admin/tenants/{tenant_id}/runtime-tokens`: made, listed, revoked.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use http::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};

use farhold_api::Refusal;
use farhold_contract::{
    Code, Sha256Digest,
    id::{TenantId, TokenId},
};

use super::{
    act::acting,
    answer::{RuntimeTokenAnswer, RuntimeTokenCreated, RuntimeTokenRequest, RuntimeTokensAnswer},
    refusal, tenants,
};
use crate::{control_plane::ControlPlane, random, storage::RuntimeToken};

/// What a runtime token begins with, so that scanners for secrets know it (contract v0.2 §1.5).
const PREFIX: &str = "fhr_";
const NAME_MAX_BYTES: usize = 128;

pub(super) async fn create(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.runtime_token.create", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        let asked: RuntimeTokenRequest = super::body(&head.headers, body).await?;
        let is_name =
            |name: &String| name.len() <= NAME_MAX_BYTES && !name.chars().any(char::is_control);
        if !asked.name.as_ref().is_none_or(is_name) {
            let detail = "a name has at most 128 bytes and no control characters";
            return Err(Refusal::new(Code::UsageInvalid, detail));
        }
        tenants::require(&act.plane, tenant_id)?;
        let token = format!("{PREFIX}{}", hex::encode(random::bytes::<32>()));
        let token_id: TokenId = act.plane.new_id();
        let row = RuntimeToken {
            token_id,
            hash: Sha256Digest::new(Sha256::digest(&token).into()),
            tenant_id,
            runtime_type: asked.runtime_type,
            name: asked.name,
            created_at: act.plane.now(),
            revoked_at: None,
        };
        let about = json!({
            "tenant_id": tenant_id, "token_id": token_id, "runtime_type": row.runtime_type,
        });
        let event = act.concerns(tenant_id, None, "kernel.runtime_token.created", about.clone());
        let trail = act.trail(about, vec![event]);
        act.plane.storage.create_runtime_token(row, trail).await.map_err(refusal)?;
        let mut response = farhold_api::json(&RuntimeTokenCreated { token_id, token })?;
        *response.status_mut() = StatusCode::CREATED;
        Ok(response)
    })
    .await
}

pub(super) async fn list(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.runtime_token.list", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        tenants::require(&act.plane, tenant_id)?;
        let rows = act.plane.storage.runtime_tokens(tenant_id).await.map_err(refusal)?;
        act.record(json!({"tenant_id": tenant_id, "tokens": rows.len()})).await?;
        let tokens = rows.into_iter().map(|(token, runtime_id)| RuntimeTokenAnswer {
            token_id: token.token_id,
            tenant_id: token.tenant_id,
            runtime_type: token.runtime_type,
            runtime_id,
            name: token.name,
            created_at: token.created_at,
            revoked_at: token.revoked_at,
        });
        farhold_api::json(&RuntimeTokensAnswer { tokens: tokens.collect() })
    })
    .await
}

pub(super) async fn revoke(
    State(plane): State<Arc<ControlPlane>>,
    Path((tenant_id, token_id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.runtime_token.revoke", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        let token_id: TokenId = super::id("token_id", &token_id)?;
        if token_id == act.token_id {
            let detail = "this call is made with that token: create another one, and use it";
            return Err(Refusal::new(Code::UsageInvalid, detail));
        }
        let about = json!({"tenant_id": tenant_id, "token_id": token_id});
        let event = act.concerns(tenant_id, None, "kernel.runtime_token.revoked", about.clone());
        let (at, trail) = (act.plane.now(), act.trail(about, vec![event]));
        let storage = &act.plane.storage;
        storage.revoke_runtime_token(tenant_id, token_id, at, trail).await.map_err(refusal)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    })
    .await
}
