//! Appending events: a runtime's, and the agent's own.

use farhold_api::Refusal;
use farhold_audit::Class;
use farhold_contract::{Code, id::TenantId};
use farhold_store::{Appended, Body, StoreError};

use crate::{cap::FULL_PERCENT, own_event::Draft};

use super::{group::Group, work::Operation};

/// What concerns security goes on to the end of the cap, in percent.
const SECURITY_PERCENT: u64 = 100;

/// Keeps a runtime's events, each judged for itself.
pub struct AppendEvents {
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
            outcomes.push(if group.has_no_room(percent, &body) {
                Err(Code::AuditFull.into())
            } else {
                Ok(group.append(&body)?)
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
