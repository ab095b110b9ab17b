//! Trail: what an operation leaves behind in its own transaction, for people to find.

use super::{
    alert::{NewAlert, raise},
    audit::{OwnRecord, append},
    error::StorageError,
    txn::Txn,
};

/// Events of the Kernel's own and alerts, committed with the operation they tell of, or not at all.
#[derive(Debug, Default)]
pub struct Trail {
    /// Events for the Kernel's own chain.
    pub events: Vec<OwnRecord>,
    /// Alerts to raise; one that is open already is counted up.
    pub alerts: Vec<NewAlert>,
}

/// The trail of an operation that leaves none.
pub fn no_trail<T>(_: &T) -> Trail {
    Trail::none()
}

impl Trail {
    /// Nothing.
    pub const fn none() -> Self {
        Self { events: Vec::new(), alerts: Vec::new() }
    }

    /// These events.
    pub const fn events(events: Vec<OwnRecord>) -> Self {
        Self { events, alerts: Vec::new() }
    }

    /// These alerts.
    pub const fn alerts(alerts: Vec<NewAlert>) -> Self {
        Self { events: Vec::new(), alerts }
    }

    pub(super) fn leave(self, txn: &mut Txn<'_>) -> Result<(), StorageError> {
        for event in self.events {
            append(txn, event)?;
        }
        for alert in self.alerts {
            raise(txn, &alert)?;
        }
        Ok(())
    }
}

impl Txn<'_> {
    /// Ends an operation: its outcome, with the trail it leaves.
    pub(super) fn leave<T>(
        &mut self,
        outcome: T,
        trail: impl FnOnce(&T) -> Trail,
    ) -> Result<T, StorageError> {
        trail(&outcome).leave(self)?;
        Ok(outcome)
    }
}
