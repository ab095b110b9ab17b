//! The audit queue, as the admin door tells it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use farhold_contract::{Sha256Digest, Timestamp};

/// `GET /admin/queue`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueueAnswer {
    /// Records not yet receipted.
    pub events: u64,
    /// The database's pages in use, in bytes.
    pub bytes: u64,
    /// Its cap, in bytes.
    pub cap_bytes: u64,
    /// When the oldest record not yet receipted was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<Timestamp>,
    /// The last record made; 0 for none.
    pub last_seq: u64,
    /// The last record receipted; 0 for none.
    pub acknowledged_seq: u64,
    /// The chain's epoch.
    pub epoch: String,
    /// The chain's head.
    pub head: Sha256Digest,
    /// Every loss that policy allowed, by reason.
    pub lost: BTreeMap<String, u64>,
}
