//! `POST /kernel/audit/events`: what runtimes hand over, kept in the Kernel's own chain.

use farhold_api::{Call, Refusal};
use farhold_audit::{Redaction, Submitted};
use farhold_contract::{
    Code,
    call::events::EventAccepted,
    id::{EventId, TenantId},
};

use crate::{
    control_plane::ControlPlane,
    random,
    refusal::stored,
    storage::{Appended, OwnRecord},
};

use super::standing;

/// Keeps events, each judged for itself, as one durable group.
///
/// A suspended organization's are kept too: what happened, happened.
///
/// # Errors
/// `agent.suspended`, `server.overloaded`, `store.unavailable`: nothing was kept.
pub(super) async fn events(
    plane: &ControlPlane,
    call: &Call,
    events: Vec<Box<[u8]>>,
) -> Result<Vec<Result<EventAccepted, Refusal>>, Refusal> {
    standing::agent_may_call(plane, call)?;
    let redaction = redaction(plane, call.tenant_id);
    let now = plane.now();
    let mut records = Vec::with_capacity(events.len());
    let judged: Vec<Result<EventId, Refusal>> = events
        .into_iter()
        .map(|event| {
            let submitted =
                Submitted::new(event, call.tenant_id, call.runtime_id, redaction.as_ref());
            let Submitted { head, event } =
                submitted.map_err(|no| Refusal::new(no.code(), no.to_string()))?;
            records.push(OwnRecord::new(now, &head, random::bytes(), event));
            Ok(head.event_id)
        })
        .collect();
    if judged.iter().any(|event| matches!(event, Err(no) if no.code == Code::TenantMismatch)) {
        plane.control.mismatches.tell(plane, &call.principal, None, &call.correlation_id).await;
    }
    let kept = if records.is_empty() {
        Vec::new()
    } else {
        plane.storage.append_own(records).await.map_err(stored)?
    };
    let mut kept = kept.into_iter();
    let outcome = |event: Result<EventId, Refusal>| {
        let event_id = event?;
        match kept.next().ok_or(Code::ServerInternal)? {
            Appended::Record(_) => Ok(EventAccepted { event_id, duplicate: false }),
            Appended::Duplicate => Ok(EventAccepted { event_id, duplicate: true }),
            Appended::Conflict => Err(Code::EventConflict.into()),
        }
    };
    Ok(judged.into_iter().map(outcome).collect())
}

/// What must not be kept of an organization's events, where its licenses say so.
fn redaction(plane: &ControlPlane, tenant_id: TenantId) -> Option<Redaction> {
    let documents = plane.documents();
    let pointers: Vec<String> = documents
        .standing
        .licenses()
        .iter()
        .filter(|license| license.tenant.tenant_id == tenant_id)
        .flat_map(|license| license.audit.redact.iter().cloned())
        .collect();
    (!pointers.is_empty()).then(|| Redaction::new(&pointers))
}
