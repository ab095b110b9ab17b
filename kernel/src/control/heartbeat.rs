//! `POST /kernel/runtimes/{runtime_id}/heartbeat`: a runtime says how it is, an agent where it
//! stands (contract v0.2 §7).

use std::collections::BTreeMap;

use farhold_api::{Call, Holder, Refusal};
use farhold_contract::{
    Code,
    call::heartbeat::{HeartbeatAnswer, HeartbeatRequest},
};

use crate::{
    control_plane::ControlPlane,
    refusal::stored,
    report,
    storage::{RuntimeHeartbeat, StorageError, no_trail},
};

use super::standing;

/// Most figures kept of one heartbeat, and the longest name of one in bytes: the rest is the
/// runtime's own.
const METRICS_MAX: usize = 64;
const METRIC_NAME_MAX_BYTES: usize = 256;

/// Takes a heartbeat in.
///
/// An agent's own is answered whatever its standing: a suspended agent would else never hear that
/// it is resumed. For its runtimes a suspended agent does not speak.
///
/// # Errors
/// `agent.suspended`, `server.overloaded`, `store.unavailable`, and what the report meets.
pub(super) async fn heartbeat(
    plane: &ControlPlane,
    call: &Call,
    request: HeartbeatRequest,
) -> Result<Option<HeartbeatAnswer>, Refusal> {
    let runtime_id = call.runtime_id.ok_or(Code::RuntimeNotRegistered)?;
    let HeartbeatRequest { status, metrics, report } = request;
    match call.principal.holder {
        Holder::Agent { agent_id } if agent_id == runtime_id => {
            let Some(report) = report else { return Ok(None) };
            let agent = plane.storage.directory().agent(agent_id);
            let agent = agent.ok_or(Code::CertificateUnknown)?;
            return report::answer(plane, &agent, report).await.map(Some);
        }
        Holder::Agent { .. } => standing::agent_may_call(plane, call)?,
        Holder::Runtime { .. } => {}
    }
    let now = plane.now();
    if !plane.control.pace.is_news(runtime_id, status, now) {
        return Ok(None);
    }
    let heartbeat = RuntimeHeartbeat { at: now, health: status, metrics: kept(metrics) };
    let noted =
        plane.storage.note_runtime_heartbeat(call.tenant_id, runtime_id, heartbeat, no_trail);
    match noted.await {
        Ok(()) => Ok(None),
        Err(error) => {
            plane.control.pace.forget_one(runtime_id);
            Err(match error {
                StorageError::Unknown { .. } => Code::RuntimeNotRegistered.into(),
                error => stored(error),
            })
        }
    }
}

fn kept(metrics: Option<BTreeMap<String, f64>>) -> BTreeMap<String, f64> {
    let mut metrics = metrics.unwrap_or_default();
    metrics.retain(|name, _| name.len() <= METRIC_NAME_MAX_BYTES);
    metrics.into_iter().take(METRICS_MAX).collect()
}
