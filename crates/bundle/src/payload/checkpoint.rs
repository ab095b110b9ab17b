//! Checkpoint: what a run of audit records amounts to; the first line of a batch or an export.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use farhold_contract::{Sha256Digest, Timestamp, id::RuntimeId};

use super::{DocumentType, LicenseRef, Payload, RootRef, check_hex, check_name};
use crate::{
    error::PayloadError,
    key::PublicKey,
    number::{Positive, Whole},
};

/// The agent's word on a run of records, and on where it stands (`bundle.md` §6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The agent's key.
    pub device_key: PublicKey,
    /// The agent as the Kernel knows it; absent at a detached site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// The epoch: 16 bytes as lower-case hex.
    pub epoch: String,
    /// How the epoch began: what `open` is computed from.
    pub opened_after: OpenedAfter,
    /// The first record of the run.
    pub from_seq: Positive,
    /// The head before it.
    pub head_before: Sha256Digest,
    /// The last record of the run; `from_seq` − 1 when it is empty.
    pub to_seq: Whole,
    /// The head after it.
    pub head: Sha256Digest,
    /// How many records follow.
    pub records: Whole,
    /// Every loss that policy allowed, by reason, since the epoch began.
    pub lost: BTreeMap<String, Whole>,
    /// The system clock.
    pub wall: Timestamp,
    /// The agent's own time.
    pub mark: Timestamp,
    /// This run of the agent: 16 random bytes as lower-case hex. Two alive at once are clones.
    pub instance: String,
    /// The trust root in force, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<RootRef>,
    /// The generation of the revocations in force; 0 for none.
    pub revocations: Whole,
    /// The licenses in force.
    pub licenses: Vec<LicenseRef>,
    /// The line of a receipt for the record before the run: presented to a Kernel that may no
    /// longer hold what it confirmed (`bundle.md` §6.7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// Where the chain stood when an epoch was opened; zeros for a device's first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedAfter {
    /// The epoch before: 16 bytes as lower-case hex.
    pub epoch: String,
    /// Its last record known; 0 for none.
    pub seq: Whole,
    /// The head after that record.
    pub head: Sha256Digest,
}

impl Payload for Checkpoint {
    const TYPE: DocumentType = DocumentType::Checkpoint;

    fn check(&self) -> Result<(), PayloadError> {
        check_hex("epoch", &self.epoch, 16)?;
        check_hex("opened_after.epoch", &self.opened_after.epoch, 16)?;
        check_hex("instance", &self.instance, 16)?;
        self.lost.keys().try_for_each(|reason| check_name("lost", reason))?;
        if self.to_seq.as_u64() + 1 != self.from_seq.as_u64() + self.records.as_u64() {
            return Err(PayloadError::invalid("records", "must be to_seq - from_seq + 1"));
        }
        Ok(())
    }
}
