//! The vendor's ledger.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use farhold_contract::{Sha256Digest, Timestamp};

/// `GET /kernel/admin/ledger`.
#[derive(Debug, Serialize, Deserialize)]
pub struct LedgerAnswer {
    /// The last entry held; 0 for none.
    pub seq: u64,
    /// What the entries come to.
    pub hash: Sha256Digest,
    /// When it was last uploaded to its end; absent: never yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole_at: Option<Timestamp>,
    /// Entries as the ledger has them, newest first.
    pub entries: Vec<Box<RawValue>>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `POST /kernel/admin/ledger?more=`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LedgerUploadAnswer {
    /// Entries that are new here.
    pub taken: u64,
    /// Entries that were held already.
    pub known: u64,
    /// The last entry held now.
    pub seq: u64,
    /// What the entries come to.
    pub hash: Sha256Digest,
    /// Alerts about licenses that the ledger now has: nobody needs to take them on.
    pub acknowledged: Vec<String>,
}
