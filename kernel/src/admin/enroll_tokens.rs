//! `/kernel/admin/enroll-tokens`: what opens the Kernel to new agents.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use farhold_api::Refusal;
use farhold_contract::{
    Code, Sha256Digest,
    call::enroll::EnrollToken,
    id::{TenantId, TokenId},
};

use super::{
    act::acting,
    answer::{EnrollTokenAnswer, EnrollTokenCreated, EnrollTokenRequest, EnrollTokensAnswer},
    page, refusal, tenants,
};
use crate::{control_plane::ControlPlane, random, storage};

/// How long a token opens the Kernel (contract v0.2 §8.1).
const LIFE: Duration = Duration::from_hours(24);
/// Most organizations of one site.
const TENANTS_MAX: usize = 256;

pub(super) async fn create(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.enroll_token.create", async |act| {
        let asked: EnrollTokenRequest = super::body(&head.headers, body).await?;
        let named = named(&act.plane, asked.tenants)?;
        let documents = act.plane.documents();
        let root_sha256 = documents.standing.root().map(|root| root.root().sha256());
        let root_sha256 = root_sha256.ok_or_else(|| {
            let detail = "an agent is given the vendor's root: install it here first";
            Refusal::new(Code::TrustMissing, detail)
        })?;
        let secret: [u8; 32] = random::bytes();
        let now = act.plane.now();
        let token = EnrollToken {
            url: act.plane.config.public_url.clone(),
            ca_sha256: act.plane.authority.anchor_sha256(),
            root_sha256,
            secret: EnrollToken::secret_text(&secret),
        };
        let row = storage::EnrollToken {
            token_id: act.plane.new_id(),
            secret_hash: Sha256Digest::new(Sha256::digest(secret).into()),
            root_sha256,
            tenants: named.clone(),
            created_at: now,
            expires_at: now + LIFE,
            revoked_at: None,
            used: None,
        };
        let (token_id, expires_at) = (row.token_id, row.expires_at);
        let about = json!({"token_id": token_id, "tenants": named, "expires_at": expires_at});
        let events: Vec<_> = named
            .iter()
            .map(|&id| act.concerns(id, None, "kernel.enroll_token.created", about.clone()))
            .collect();
        let trail = act.trail(about, events);
        act.plane.storage.create_enroll_token(row, trail).await.map_err(refusal)?;
        let created = EnrollTokenCreated { token_id, token: token.to_text(), expires_at };
        let mut response = farhold_api::json(&created)?;
        *response.status_mut() = StatusCode::CREATED;
        Ok(response)
    })
    .await
}

/// Which page of tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: Option<TokenId>,
    limit: Option<usize>,
}

pub(super) async fn list(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.enroll_token.list", async |act| {
        let asked: Asked = super::query(&head.uri)?;
        let limit = page::limit(asked.limit)?;
        let rows = act.plane.storage.enroll_tokens(asked.after, limit).await.map_err(refusal)?;
        let next = page::next(&rows, limit, |token| token.token_id);
        act.record(json!({"tokens": rows.len()})).await?;
        let tokens = rows.into_iter().map(|token| EnrollTokenAnswer {
            token_id: token.token_id,
            tenants: token.tenants,
            created_at: token.created_at,
            expires_at: token.expires_at,
            runtime_id: token.used.map(|used| used.runtime_id),
            revoked_at: token.revoked_at,
        });
        farhold_api::json(&EnrollTokensAnswer { tokens: tokens.collect(), next })
    })
    .await
}

pub(super) async fn revoke(
    State(plane): State<Arc<ControlPlane>>,
    Path(token_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.enroll_token.revoke", async |act| {
        let token_id: TokenId = super::id("token_id", &token_id)?;
        let named = tenants_of(&act.plane, token_id).await?;
        let about = json!({"token_id": token_id, "tenants": named});
        let events: Vec<_> = named
            .iter()
            .map(|&id| act.concerns(id, None, "kernel.enroll_token.revoked", about.clone()))
            .collect();
        let (at, trail) = (act.plane.now(), act.trail(about, events));
        act.plane.storage.revoke_enroll_token(token_id, at, trail).await.map_err(refusal)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    })
    .await
}

/// The organizations that a token names.
async fn tenants_of(plane: &ControlPlane, token_id: TokenId) -> Result<Vec<TenantId>, Refusal> {
    const PAGE: usize = 1_000;
    let mut after = None;
    loop {
        let page = plane.storage.enroll_tokens(after, PAGE).await.map_err(refusal)?;
        if let Some(token) = page.iter().find(|token| token.token_id == token_id) {
            return Ok(token.tenants.clone());
        }
        after = page.last().map(|token| token.token_id);
        if page.len() < PAGE {
            let detail = format!("this Kernel has no enrollment token {token_id}");
            return Err(Refusal::new(Code::RequestNotFound, detail));
        }
    }
}

/// The organizations of the site, each known and named once; the first is the agent's own.
fn named(plane: &ControlPlane, asked: Vec<TenantId>) -> Result<Vec<TenantId>, Refusal> {
    let wrong = |what: &str| Err(Refusal::new(Code::UsageInvalid, what));
    if !(1..=TENANTS_MAX).contains(&asked.len()) {
        return wrong("a token names 1 to 256 tenants");
    }
    if asked.iter().collect::<BTreeSet<_>>().len() < asked.len() {
        return wrong("a tenant is named twice");
    }
    if asked.contains(&plane.internal_tenant) {
        return wrong("the tenant of the administration has no site");
    }
    asked.iter().try_for_each(|&tenant_id| tenants::require(plane, tenant_id))?;
    Ok(asked)
}
