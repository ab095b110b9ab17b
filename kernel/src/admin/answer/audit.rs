//! Events, chains, dead letters.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use farhold_contract::{Code, Sha256Digest, Timestamp, id::RuntimeId};

/// `GET /kernel/admin/tenants/{tenant_id}/audit/events`.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditAnswer {
    /// The events, oldest first.
    pub events: Vec<AuditEventAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One event of an organization, with where it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditEventAnswer {
    /// Where it stands in this listing.
    pub cursor: String,
    /// The agent whose chain it is in; absent: the Kernel's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// The chain's epoch.
    pub epoch: String,
    /// Its record.
    pub seq: u64,
    /// When it was linked, by the clock of whoever linked it.
    pub recorded_at: Timestamp,
    /// When it came to the Kernel.
    pub received_at: Timestamp,
    /// Its class.
    pub class: String,
    /// The event's own bytes; absent where they were withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<RawValue>>,
}

/// `GET /kernel/admin/audit/verify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerifyAnswer {
    /// Whether every chain comes to its heads.
    pub intact: bool,
    /// Every chain, the Kernel's own first.
    pub chains: Vec<ChainAnswer>,
}

/// One chain, recomputed from its records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainAnswer {
    /// The agent; absent: the Kernel's own chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// The key whose chain it is: SHA-256 of the device key.
    pub device_key_id: String,
    /// Its epoch.
    pub epoch: String,
    /// How many records were recomputed, branches included.
    pub records: u64,
    /// Its heads that nothing follows: one, unless it was forked or records are missing.
    pub heads: Vec<HeadAnswer>,
    /// How often it was forked.
    pub branches: u64,
    /// Records whose content was refused; the chain holds them all the same.
    pub refused: u64,
    /// Records that were confirmed by a receipt and are not held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingAnswer>,
    /// Where it does not hold; absent: it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Records that were confirmed, and are not held: the Kernel's storage was set back since, or they
/// went another way. The chain goes on after them, by the receipt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MissingAnswer {
    /// The first of them.
    pub from: u64,
    /// The last of them: the one that the receipt names.
    pub to: u64,
    /// When they were confirmed, as the receipt says.
    pub received_at: Timestamp,
    /// The keys that signed the receipt.
    pub receipt_key_ids: Vec<String>,
}

/// A head, and the last record before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeadAnswer {
    /// The last record; 0 for none.
    pub seq: u64,
    /// The head after it.
    pub head: Sha256Digest,
}

/// `GET /kernel/admin/tenants/{tenant_id}/dead-letters`.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeadLettersAnswer {
    /// What was refused, oldest first.
    pub dead_letters: Vec<DeadLetterAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One event whose content was refused.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeadLetterAnswer {
    /// Where it stands in this listing.
    pub cursor: String,
    /// The agent that sent it; absent: a runtime, to the Kernel itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// The chain's epoch.
    pub epoch: String,
    /// Its record.
    pub seq: u64,
    /// Why it was refused.
    pub code: Code,
    /// What is wrong with it.
    pub detail: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Its bytes as text, where they are text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}
