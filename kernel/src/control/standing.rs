//! Standing: what the Kernel itself took away, looked up at every call.

use std::collections::BTreeSet;

use farhold_api::{Call, Holder, Refusal};
use farhold_contract::{
    Code,
    call::heartbeat::{KernelStanding, KernelStatus},
    id::TenantId,
};
use farhold_policy::Restraints;

use crate::{
    control_plane::ControlPlane,
    storage::{Origin, RuntimeFacts},
};

/// Refuses what comes by a suspended agent: a certificate that is still valid is no permission.
///
/// # Errors
/// `agent.suspended`.
pub(super) fn agent_may_call(plane: &ControlPlane, call: &Call) -> Result<(), Refusal> {
    let Holder::Agent { agent_id } = call.principal.holder else { return Ok(()) };
    let suspended = plane
        .storage
        .directory()
        .agent(agent_id)
        .is_none_or(|agent| agent.standing.status == KernelStatus::Suspended);
    if suspended { Err(Code::AgentSuspended.into()) } else { Ok(()) }
}

/// Refuses what a suspended organization may not do.
///
/// # Errors
/// `runtime.suspended`.
pub(super) fn tenant_may_operate(plane: &ControlPlane, tenant_id: TenantId) -> Result<(), Refusal> {
    let suspended = plane
        .storage
        .directory()
        .tenant(tenant_id)
        .is_none_or(|tenant| tenant.standing.status == KernelStatus::Suspended);
    if suspended {
        return Err(Refusal::new(Code::RuntimeSuspended, "the organization is suspended"));
    }
    Ok(())
}

/// What is taken away from a runtime: by its organization, by the agent it is registered through,
/// and by itself.
pub(super) fn restraints(plane: &ControlPlane, runtime: &RuntimeFacts) -> Restraints {
    let directory = plane.storage.directory();
    let tenant = directory.tenant(runtime.tenant_id).map(|tenant| tenant.standing.clone());
    let agent = match runtime.origin {
        Origin::Agent(agent_id) => directory.agent(agent_id).map(|agent| agent.standing.clone()),
        Origin::Token(_) => None,
    };
    let suspended = |standing: &KernelStanding| standing.status == KernelStatus::Suspended;
    let features_denied: BTreeSet<String> =
        [tenant.as_ref(), agent.as_ref(), Some(&runtime.standing)]
            .into_iter()
            .flatten()
            .filter(|standing| standing.status == KernelStatus::Limited)
            .flat_map(|standing| standing.features_denied.iter().cloned())
            .collect();
    Restraints {
        tenant_suspended: tenant.as_ref().is_none_or(suspended),
        runtime_suspended: agent.as_ref().is_some_and(suspended) || suspended(&runtime.standing),
        features_denied,
    }
}
