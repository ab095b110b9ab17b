//! `GET /kernel/flags`: the switches that the licenses in force set.

use farhold_api::{Call, Refusal};
use farhold_contract::{
    Code,
    call::flags::{FlagsResponse, SetFlag},
};

use crate::control_plane::ControlPlane;

use super::{
    check::{policy, policy_facts},
    standing,
};

/// The flags in force for the runtime that calls. They grant nothing: a suspended organization or
/// runtime is told them, so that what is switched off stays off there, too.
///
/// # Errors
/// `agent.suspended`; `runtime.not_registered` for an agent that asks in its own name.
pub(super) fn flags(plane: &ControlPlane, call: &Call) -> Result<FlagsResponse, Refusal> {
    standing::agent_may_call(plane, call)?;
    let directory = plane.storage.directory();
    let known = call.runtime_id.and_then(|id| directory.runtime(call.tenant_id, id));
    let known = known.ok_or(Code::RuntimeNotRegistered)?;
    let (policy, now) = (policy(plane, &known), plane.decision_time());
    let set = policy.flags(call.tenant_id, &policy_facts(&known), &now);
    Ok(FlagsResponse { flags: set.into_iter().map(SetFlag::from).collect() })
}
