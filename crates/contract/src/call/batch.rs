//! `POST /kernel/audit/batches`: an agent hands its audit over. The body is a signed checkpoint
//! and the records it covers (`bundle.md` §6).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{code::Code, digest::Sha256Digest};

/// Most bytes of a batch once it is inflated.
pub const BATCH_MAX_BYTES: u64 = 8 << 20;

/// What the Kernel took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BatchResponse {
    /// The epoch: 16 bytes as lower-case hex.
    pub epoch: String,
    /// The last record accepted.
    pub seq: u64,
    /// The head after it.
    pub head: Sha256Digest,
    /// Records in the chain whose content the Kernel does not take in.
    pub refused: Vec<RefusedRecord>,
    /// The envelope of a receipt, byte for byte.
    pub receipt: Box<RawValue>,
}

/// A record that is in the chain, and whose content the Kernel does not take in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRecord {
    /// The record.
    pub seq: u64,
    /// Why not.
    pub code: Code,
    /// What is wrong with it.
    pub detail: String,
}

/// A head that the Kernel holds: an extension member of the problem `audit.gap`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldHead {
    /// The epoch: 16 bytes as lower-case hex.
    pub epoch: String,
    /// The record.
    pub seq: u64,
    /// The head after it.
    pub head: Sha256Digest,
}
