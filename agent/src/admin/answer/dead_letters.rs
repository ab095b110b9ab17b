//! Records whose content the Kernel refused, as the admin door tells them.

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Timestamp,
    id::{EventId, TenantId},
};

/// `GET /admin/dead-letters`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLettersAnswer {
    /// At most 1,000, in the order of the chain.
    pub dead_letters: Vec<DeadLetterAnswer>,
}

/// A record whose content the Kernel refused; it is in the chain all the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLetterAnswer {
    /// The record.
    pub seq: u64,
    /// The organization it belongs to.
    pub tenant_id: TenantId,
    /// The event.
    pub event_id: EventId,
    /// Why it was refused.
    pub code: String,
    /// What is wrong with it.
    pub detail: String,
    /// When the agent heard of it.
    pub refused_at: Timestamp,
}
