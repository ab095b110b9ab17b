//! The chain, as the admin door tells it.

use serde::{Deserialize, Serialize};

use farhold_contract::Sha256Digest;

/// `GET /admin/audit/tail?count=`: wire records, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditTailAnswer {
    /// The records as exports carry them.
    pub records: Vec<serde_json::Value>,
}

/// `GET /admin/audit/verify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditVerifyAnswer {
    /// The chain's epoch.
    pub epoch: String,
    /// The first record kept; 0 for none.
    pub from_seq: u64,
    /// The last record.
    pub to_seq: u64,
    /// How many were verified.
    pub records: u64,
    /// The head after the last.
    pub head: Sha256Digest,
}
