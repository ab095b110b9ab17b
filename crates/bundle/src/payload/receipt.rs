//! Receipt: what the vendor has of one agent's audit.

use serde::{Deserialize, Serialize};

use farhold_contract::{Sha256Digest, Timestamp};

use super::{DocumentType, Payload, check_hex};
use crate::{error::PayloadError, key::PublicKey, number::Positive};

/// Confirms every record of an epoch up to one, by the head after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The agent's key.
    pub device_key: PublicKey,
    /// The epoch: 16 bytes as lower-case hex.
    pub epoch: String,
    /// The last record confirmed.
    pub seq: Positive,
    /// The head after that record.
    pub head: Sha256Digest,
    /// When the vendor took it in.
    pub received_at: Timestamp,
}

impl Payload for Receipt {
    const TYPE: DocumentType = DocumentType::Receipt;

    fn check(&self) -> Result<(), PayloadError> {
        check_hex("epoch", &self.epoch, 16)
    }
}
