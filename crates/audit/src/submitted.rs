//! Submitted: a runtime's event on its way in, before it is given a salt and a place in a chain.

use farhold_contract::{
    Code,
    id::{RuntimeId, TenantId},
};

use crate::{
    event::{EventError, EventHead, inspect},
    redact::Redaction,
};

/// An event that its runtime may write, as it is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// What must be known of it.
    pub head: EventHead,
    /// Its bytes, redacted.
    pub event: Vec<u8>,
}

/// Why a runtime's event is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionRefusal {
    /// It is not an event, or none for runtimes.
    #[error(transparent)]
    Content(#[from] EventError),
    /// It names another organization than the caller's.
    #[error("the event names another tenant")]
    Tenant,
    /// It names another runtime than the caller.
    #[error("the event names another runtime")]
    Runtime,
}

impl SubmissionRefusal {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Content(error) => error.code(),
            Self::Tenant => Code::TenantMismatch,
            Self::Runtime => Code::RuntimeMismatch,
        }
    }
}

impl Submitted {
    /// Holds an event to the contract (v0.1 §5.5) and to its caller, and takes out of it what its
    /// organization's licenses say must not be kept.
    ///
    /// # Errors
    /// [`SubmissionRefusal`].
    pub fn new(
        event: Box<[u8]>,
        tenant_id: TenantId,
        runtime_id: Option<RuntimeId>,
        redaction: Option<&Redaction>,
    ) -> Result<Self, SubmissionRefusal> {
        let head = inspect(&event)?;
        if head.tenant_id != tenant_id {
            return Err(SubmissionRefusal::Tenant);
        }
        // An event may leave its runtime out; one that names it names the caller.
        if head.runtime_id.is_some() && head.runtime_id != runtime_id {
            return Err(SubmissionRefusal::Runtime);
        }
        let event = match redaction {
            Some(redaction) => redaction.apply(&event).into_owned(),
            None => event.into_vec(),
        };
        Ok(Self { head, event })
    }
}
