//! `/kernel/admin/tenants/{tenant_id}/runtimes`: an organization's runtimes.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use farhold_contract::id::{RuntimeId, TenantId};

use super::{
    act::acting,
    answer::{RuntimeAnswer, RuntimesAnswer},
    page, refusal, standing, tenants,
};
use crate::{
    control_plane::ControlPlane,
    storage::{Origin, Runtime},
};

/// Which page of runtimes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: Option<RuntimeId>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(plane): State<Arc<ControlPlane>>,
    Path(tenant_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.runtime.list", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        let asked: Asked = super::query(&head.uri)?;
        let limit = page::limit(asked.limit)?;
        tenants::require(&act.plane, tenant_id)?;
        let storage = &act.plane.storage;
        let rows = storage.runtimes_of(tenant_id, asked.after, limit).await.map_err(refusal)?;
        let next = page::next(&rows, limit, |runtime| runtime.facts.runtime_id);
        act.record(json!({"tenant_id": tenant_id, "runtimes": rows.len()})).await?;
        farhold_api::json(&RuntimesAnswer {
            runtimes: rows.into_iter().map(answer).collect(),
            next,
        })
    })
    .await
}

pub(super) async fn hold(
    State(plane): State<Arc<ControlPlane>>,
    Path((tenant_id, runtime_id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.runtime.standing", async |act| {
        let tenant_id: TenantId = super::id("tenant_id", &tenant_id)?;
        let runtime_id: RuntimeId = super::id("runtime_id", &runtime_id)?;
        let held = standing::meant(super::body(&head.headers, body).await?)?;
        let kinds =
            ["kernel.runtime.suspended", "kernel.runtime.limited", "kernel.runtime.resumed"];
        let about = json!({"tenant_id": tenant_id, "runtime_id": runtime_id, "standing": held});
        let kind = standing::event(held.status, kinds);
        let event = act.concerns(tenant_id, Some(runtime_id), kind, about.clone());
        let trail = act.trail(about, vec![event]);
        let storage = &act.plane.storage;
        let runtime = storage.set_runtime_standing(tenant_id, runtime_id, held, trail).await;
        farhold_api::json(&answer(runtime.map_err(refusal)?))
    })
    .await
}

fn answer(runtime: Runtime) -> RuntimeAnswer {
    let facts = runtime.facts;
    RuntimeAnswer {
        runtime_id: facts.runtime_id,
        tenant_id: facts.tenant_id,
        kind: facts.kind,
        deployment_mode: facts.deployment_mode,
        version: facts.version,
        capabilities: runtime.capabilities,
        agent_id: match facts.origin {
            Origin::Agent(agent_id) => Some(agent_id),
            Origin::Token(_) => None,
        },
        standing: facts.standing,
        registered_at: runtime.registered_at,
        health: runtime.heartbeat.as_ref().map(|heartbeat| heartbeat.health),
        heard_at: runtime.heartbeat.map(|heartbeat| heartbeat.at),
    }
}
