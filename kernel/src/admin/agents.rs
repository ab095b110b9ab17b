//! `/kernel/admin/agents`: the agents of all sites.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::json;

use farhold_api::Refusal;
use farhold_contract::{
    Code,
    id::{RuntimeId, TenantId},
};

use super::{
    act::acting,
    answer::{AgentAnswer, AgentsAnswer},
    page, refusal, standing, tenants,
};
use crate::{control_plane::ControlPlane, storage::Agent};

/// Which page of agents, and whose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    tenant_id: Option<TenantId>,
    after: Option<RuntimeId>,
    limit: Option<usize>,
}

pub(super) async fn list(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.agent.list", async |act| {
        let asked: Asked = super::query(&head.uri)?;
        let limit = page::limit(asked.limit)?;
        let storage = &act.plane.storage;
        let rows = match asked.tenant_id {
            Some(tenant_id) => {
                tenants::require(&act.plane, tenant_id)?;
                storage.agents_of(tenant_id, asked.after, limit).await
            }
            None => storage.agents(asked.after, limit).await,
        }
        .map_err(refusal)?;
        let next = page::next(&rows, limit, |agent| agent.facts.runtime_id);
        let about = match asked.tenant_id {
            Some(tenant_id) => json!({"tenant_id": tenant_id, "agents": rows.len()}),
            None => json!({"agents": rows.len()}),
        };
        act.record(about).await?;
        let agents = rows.into_iter().map(|agent| AgentAnswer { report: None, ..answer(agent) });
        farhold_api::json(&AgentsAnswer { agents: agents.collect(), next })
    })
    .await
}

pub(super) async fn show(
    State(plane): State<Arc<ControlPlane>>,
    Path(runtime_id): Path<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    acting(plane, &head, "kernel.admin.agent.show", async |act| {
        let runtime_id: RuntimeId = super::id("runtime_id", &runtime_id)?;
        let agent = act.plane.storage.agent(runtime_id).await.map_err(refusal)?;
        let agent = agent.ok_or_else(|| unknown(runtime_id))?;
        act.record(json!({"agent_id": runtime_id})).await?;
        farhold_api::json(&answer(agent))
    })
    .await
}

pub(super) async fn hold(
    State(plane): State<Arc<ControlPlane>>,
    Path(runtime_id): Path<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    acting(plane, &head, "kernel.admin.agent.standing", async |act| {
        let runtime_id: RuntimeId = super::id("runtime_id", &runtime_id)?;
        let held = standing::meant(super::body(&head.headers, body).await?)?;
        let storage = &act.plane.storage;
        let facts = storage.directory().agent(runtime_id).ok_or_else(|| unknown(runtime_id))?;
        let about = json!({"agent_id": runtime_id, "standing": held});
        let kinds = ["kernel.agent.suspended", "kernel.agent.limited", "kernel.agent.resumed"];
        let kind = standing::event(held.status, kinds);
        // Each organization of the site is concerned, and may see it.
        let events: Vec<_> = facts
            .tenants
            .iter()
            .map(|&tenant_id| act.concerns(tenant_id, Some(runtime_id), kind, about.clone()))
            .collect();
        let trail = act.trail(about, events);
        let agent = storage.set_agent_standing(runtime_id, held, trail).await.map_err(refusal)?;
        farhold_api::json(&answer(agent))
    })
    .await
}

pub(super) fn unknown(runtime_id: RuntimeId) -> Refusal {
    Refusal::new(Code::RequestNotFound, format!("this Kernel has no agent {runtime_id}"))
}

fn answer(agent: Agent) -> AgentAnswer {
    let facts = agent.facts;
    AgentAnswer {
        runtime_id: facts.runtime_id,
        device_key: facts.device_key.to_string(),
        agent_version: agent.agent_version,
        certificate_ends: facts.certificates.iter().map(|issued| issued.not_after).max(),
        tenants: facts.tenants,
        standing: facts.standing,
        enrolled_at: agent.enrolled_at,
        heard_at: agent.heartbeat.as_ref().map(|heartbeat| heartbeat.at),
        report: agent.heartbeat.map(|heartbeat| heartbeat.report),
    }
}
