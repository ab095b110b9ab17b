//! `/kernel/admin/tenants`: organizations.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use farhold_api::Refusal;
use farhold_contract::{
    Code,
    call::heartbeat::KernelStanding,
    id::TenantId,
    model::{Policies, SecurityLevel, TenantType},
};

use super::{
    act::acting,
    answer::{StandingRequest, TenantAnswer, TenantRequest, TenantsAnswer},
    page, refusal, standing,
};
use crate::{control_plane::ControlPlane, storage::Tenant};

const NAME_MAX_BYTES: usize = 256;

pub(super) async fn create(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.tenant.create", async |act| {
        let asked: TenantRequest = super::body(&head.headers, body).await?;
        let tenant = tenant_of(asked, &act.plane)?;
        let tenant_id = tenant.tenant_id;
        let about = json!({"tenant_id": tenant_id, "name": tenant.name, "type": tenant.kind});
        let created = act.concerns(tenant_id, None, "kernel.tenant.created", about.clone());
        let trail = act.trail(about, vec![created]);
        act.plane.storage.create_tenant(tenant.clone(), trail).await.map_err(refusal)?;
        let mut response = farhold_api::json(&answer(tenant))?;
        *response.status_mut() = StatusCode::CREATED;
        Ok(response)
    })
    .await
}

/// Which page of organizations.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: Option<TenantId>,
    limit: Option<usize>,
}

pub(super) async fn list(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.tenant.list", async |act| {
        let asked: Asked = super::query(&head.uri)?;
        let limit = page::limit(asked.limit)?;
        let rows = act.plane.storage.tenants(asked.after, limit).await.map_err(refusal)?;
        let next = page::next(&rows, limit, |tenant| tenant.tenant_id);
        act.record(json!({"tenants": rows.len()})).await?;
        farhold_api::json(&TenantsAnswer { tenants: rows.into_iter().map(answer).collect(), next })
    })
    .await
}

pub(super) async fn show(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.tenant.show", async |act| {
        let tenant_id = super::id("tenant_id", &tenant_id)?;
        let tenant = act.plane.storage.tenant(tenant_id).await.map_err(refusal)?;
        let tenant = tenant.ok_or_else(|| unknown(tenant_id))?;
        act.record(json!({"tenant_id": tenant_id})).await?;
        farhold_api::json(&answer(tenant))
    })
    .await
}

pub(super) async fn hold(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.tenant.standing", async |act| {
        let tenant_id = super::id("tenant_id", &tenant_id)?;
        let asked: StandingRequest = super::body(&head.headers, body).await?;
        if tenant_id == act.plane.internal_tenant {
            let detail = "this is the tenant of the administration: nobody could resume it";
            return Err(Refusal::new(Code::UsageInvalid, detail));
        }
        let held = standing::meant(asked)?;
        let kinds = ["kernel.tenant.suspended", "kernel.tenant.limited", "kernel.tenant.resumed"];
        let about = json!({"tenant_id": tenant_id, "standing": held});
        let event =
            act.concerns(tenant_id, None, standing::event(held.status, kinds), about.clone());
        let trail = act.trail(about, vec![event]);
        let storage = &act.plane.storage;
        let tenant = storage.set_tenant_standing(tenant_id, held, trail).await.map_err(refusal)?;
        farhold_api::json(&answer(tenant))
    })
    .await
}

/// Holds an organization to exist, before something is done or shown in its name.
pub(super) fn require(plane: &ControlPlane, tenant_id: TenantId) -> Result<(), Refusal> {
    match plane.storage.directory().tenant(tenant_id) {
        Some(_) => Ok(()),
        None => Err(unknown(tenant_id)),
    }
}

fn unknown(tenant_id: TenantId) -> Refusal {
    Refusal::new(Code::RequestNotFound, format!("this Kernel has no tenant {tenant_id}"))
}

fn tenant_of(asked: TenantRequest, plane: &ControlPlane) -> Result<Tenant, Refusal> {
    let wrong = |what: &str| Err(Refusal::new(Code::UsageInvalid, what));
    if asked.kind == TenantType::Internal {
        return wrong("the tenant of the administration is made by init, once");
    }
    let is_name = (1..=NAME_MAX_BYTES).contains(&asked.name.trim().len())
        && !asked.name.chars().any(char::is_control);
    if !is_name {
        return wrong("a name has 1 to 256 bytes and no control characters");
    }
    let usual = Policies { security_level: SecurityLevel::Standard, data_residency: None };
    Ok(Tenant {
        tenant_id: asked.tenant_id.unwrap_or_else(|| plane.new_id()),
        kind: asked.kind,
        name: Some(asked.name),
        standing: KernelStanding::ACTIVE,
        policies: asked.policies.unwrap_or(usual),
        created_at: plane.now(),
    })
}

fn answer(tenant: Tenant) -> TenantAnswer {
    TenantAnswer {
        tenant_id: tenant.tenant_id,
        name: tenant.name,
        kind: tenant.kind,
        policies: tenant.policies,
        standing: tenant.standing,
        created_at: tenant.created_at,
    }
}
