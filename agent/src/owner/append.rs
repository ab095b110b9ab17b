//! Appending events: a runtime's, and the agent's own.

use std::time::Duration;

use farhold_api::Refusal;
use farhold_audit::Class;
use farhold_contract::{
    Code,
    id::{RuntimeId, TenantId},
};
use farhold_store::{Appended, Body, StoreError};

use crate::{cap::FULL_PERCENT, own_event::Draft, shares::Taking};

use super::{
    group::{Group, size_on_disk},
    work::Operation,
};

/// What concerns security goes on to the end of the cap, in percent.
const SECURITY_PERCENT: u64 = 100;

/// A runtime with its whole share has it until the vendor has what waits.
const FLOOD_PAUSE: Duration = Duration::from_secs(60);

/// Keeps a runtime's events, each judged for itself.
pub struct AppendEvents {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// The events, hashed by whoever brings them.
    pub bodies: Vec<Body>,
}

impl Operation for AppendEvents {
    type Answer = Vec<Result<Appended, Refusal>>;

    fn apply(self, group: &mut Group<'_>) -> Result<Self::Answer, StoreError> {
        let mut outcomes = Vec::with_capacity(self.bodies.len());
        for body in self.bodies {
            let percent =
                if body.class == Class::Security { SECURITY_PERCENT } else { FULL_PERCENT };
            let taking = Taking {
                tenant_id: self.tenant_id,
                runtime_id: self.runtime_id,
                bytes: size_on_disk(&body),
            };
            outcomes.push(if group.has_no_room(percent, &body) {
                Err(Code::AuditFull.into())
            } else if !group.has_share(&taking) {
                Err(Refusal::from(Code::AuditFlood).after(FLOOD_PAUSE))
            } else {
                let appended = group.append(&body)?;
                if let Appended::Record(_) = appended {
                    group.take_share(taking);
                }
                Ok(appended)
            });
        }
        Ok(outcomes)
    }
}

/// Keeps one event of the agent's own: the cap does not stop it.
pub struct AppendOwn {
    /// The organization.
    pub tenant_id: TenantId,
    /// What happened.
    pub draft: Draft,
}

impl Operation for AppendOwn {
    type Answer = ();

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        group.append_own(self.tenant_id, self.draft)
    }
}
