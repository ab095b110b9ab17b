//! `/kernel/admin/tenants/{tenant_id}/identity-providers`: who vouches for an organization's
//! people. The Kernel authenticates nobody: it trusts them, and maps.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use farhold_api::Refusal;
use farhold_contract::{Code, id::TenantId};

use super::{
    act::acting,
    answer::{ProviderAnswer, ProvidersAnswer, RoleMapAnswer},
    refusal, tenants,
};
use crate::{
    control_plane::ControlPlane,
    identity::Provider,
    storage::{IdentityProvider, RoleMap},
};

const NAME_MAX_BYTES: usize = 256;

pub(super) async fn set(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.provider.set", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        let asked: ProviderAnswer = super::body(&head.headers, body).await?;
        tenants::require(&act.plane, tenant_id)?;
        let provider = provider_of(tenant_id, asked)?;
        let about = json!({
            "tenant_id": tenant_id, "issuer": provider.issuer, "audience": provider.audience,
        });
        let event = act.concerns(tenant_id, None, "kernel.provider.set", about.clone());
        let trail = act.trail(about, vec![event]);
        act.plane.storage.put_provider(provider.clone(), trail).await.map_err(refusal)?;
        farhold_api::json(&answer(provider))
    })
    .await
}

pub(super) async fn list(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.provider.list", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        tenants::require(&act.plane, tenant_id)?;
        let rows = act.plane.storage.providers(tenant_id).await.map_err(refusal)?;
        act.record(json!({"tenant_id": tenant_id, "providers": rows.len()})).await?;
        farhold_api::json(&ProvidersAnswer { providers: rows.into_iter().map(answer).collect() })
    })
    .await
}

/// Which provider.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    issuer: String,
}

pub(super) async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.provider.remove", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        let asked: Asked = super::query(&head.uri)?;
        let about = json!({"tenant_id": tenant_id, "issuer": asked.issuer});
        let event = act.concerns(tenant_id, None, "kernel.provider.removed", about.clone());
        let trail = act.trail(about, vec![event]);
        let storage = &act.plane.storage;
        storage.remove_provider(tenant_id, asked.issuer, trail).await.map_err(refusal)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    })
    .await
}

/// What was entered, held to the rules that tokens will be held to by it.
fn provider_of(tenant_id: TenantId, asked: ProviderAnswer) -> Result<IdentityProvider, Refusal> {
    let wrong = |what: String| Refusal::new(Code::UsageInvalid, what);
    let is_name = (1..=NAME_MAX_BYTES).contains(&asked.name.trim().len())
        && !asked.name.chars().any(char::is_control);
    if !is_name {
        return Err(wrong("a name has 1 to 256 bytes and no control characters".to_owned()));
    }
    let none = RoleMapAnswer { claim: Vec::new(), roles: Default::default() };
    let RoleMapAnswer { claim, roles } = asked.role_map.unwrap_or(none);
    let provider = IdentityProvider {
        tenant_id,
        name: asked.name,
        kind: asked.provider,
        issuer: asked.issuer,
        audience: asked.audience,
        jwks: Value::Object(asked.jwks),
        role_map: RoleMap { claim, roles },
        attributes: asked.attributes,
    };
    Provider::new(&provider).map_err(|error| wrong(error.to_string()))?;
    Ok(provider)
}

fn answer(provider: IdentityProvider) -> ProviderAnswer {
    let RoleMap { claim, roles } = provider.role_map;
    let role_map = (!claim.is_empty()).then_some(RoleMapAnswer { claim, roles });
    ProviderAnswer {
        name: provider.name,
        provider: provider.kind,
        issuer: provider.issuer,
        audience: provider.audience,
        jwks: match provider.jwks {
            Value::Object(members) => members,
            _ => Map::new(),
        },
        role_map,
        attributes: provider.attributes,
    }
}
