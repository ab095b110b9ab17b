//! `GET /kernel/flags`: the switches that the licenses in force set.

use farhold_api::{Call, FlagsReply, Refusal};
use farhold_contract::{
    Code,
    call::flags::{FlagsResponse, SetFlag},
};

use crate::control_plane::ControlPlane;

use super::{
    check::{policy_facts, policy_of},
    standing,
};

/// The flags in force for the runtime that calls. They grant nothing: a suspended organization or
/// runtime is told them, so that what is switched off stays off there, too.
///
/// # Errors
/// `agent.suspended`; `runtime.not_registered` for an agent that asks in its own name.
pub(super) fn flags(plane: &ControlPlane, call: &Call) -> Result<FlagsReply, Refusal> {
    standing::agent_may_call(plane, call)?;
    let directory = plane.storage.directory();
    let known = call.runtime_id.and_then(|id| directory.runtime(call.tenant_id, id));
    let known = known.ok_or(Code::RuntimeNotRegistered)?;
    let documents = plane.documents();
    let policy = policy_of(plane, &documents, &known);
    let (facts, now) = (policy_facts(&known), plane.decision_time());
    let set = policy.flags(call.tenant_id, &facts, &now);
    let set_by = set.iter().map(|flag| (flag.license_id, flag.serial.as_u64()));
    documents.flags.reply(&facts.version, set_by, || FlagsResponse {
        flags: set.iter().copied().map(SetFlag::from).collect(),
    })
}
