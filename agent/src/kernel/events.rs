//! A runtime's events at the site: checked, redacted, and durable before they are accepted.

use std::sync::Arc;

use farhold_api::{Call, Refusal};
use farhold_audit::Submitted;
use farhold_contract::{Code, call::events::EventAccepted, id::EventId};
use farhold_store::{Appended, Body};

use crate::{owner::AppendEvents, random};

use super::LocalKernel;

impl LocalKernel {
    /// Keeps a batch; each event has an outcome of its own.
    pub(super) async fn keep_events(
        &self,
        call: Call,
        events: Vec<Box<[u8]>>,
    ) -> Result<Vec<Result<EventAccepted, Refusal>>, Refusal> {
        let documents = Arc::clone(&self.owner.snapshot().documents);
        let redaction = documents.redactions.get(&call.tenant_id);
        let mut bodies = Vec::with_capacity(events.len());
        let prepared: Vec<Result<EventId, Refusal>> = events
            .into_iter()
            .map(|event| {
                let submitted = Submitted::new(event, call.tenant_id, call.runtime_id, redaction);
                let Submitted { head, event } =
                    submitted.map_err(|no| Refusal::new(no.code(), no.to_string()))?;
                // Hashed here, so that the owner only links.
                let salt = random::salt();
                bodies.push(Body::new(head.tenant_id, head.class, head.event_id, salt, event));
                Ok(head.event_id)
            })
            .collect();
        let kept = if bodies.is_empty() {
            Vec::new()
        } else {
            let runtime_id = call.runtime_id.ok_or(Code::RuntimeNotRegistered)?;
            let tenant_id = call.tenant_id;
            self.owner.submit(AppendEvents { tenant_id, runtime_id, bodies }).await?
        };
        let mut kept = kept.into_iter();
        let outcomes: Vec<_> = prepared
            .into_iter()
            .map(|event| {
                let event_id = event?;
                match kept.next().unwrap_or_else(|| Err(Code::ServerInternal.into()))? {
                    Appended::Record(_) => Ok(EventAccepted { event_id, duplicate: false }),
                    Appended::Duplicate => Ok(EventAccepted { event_id, duplicate: true }),
                    Appended::Conflict => Err(Code::EventConflict.into()),
                }
            })
            .collect();
        let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        self.metrics.events_rejected.inc_by(refused as u64);
        Ok(outcomes)
    }
}
