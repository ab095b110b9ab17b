//! Clock reset: one repair of one agent's clock, where no Kernel can do it.

use serde::{Deserialize, Serialize};

use farhold_contract::Timestamp;

use super::{DocumentType, Payload, check_hex};
use crate::{error::PayloadError, key::PublicKey};

/// Sets the mark of one agent to a time, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReset {
    /// The agent's key.
    pub device_key: PublicKey,
    /// The nonce of the request it answers; used up in the transaction that applies it.
    pub nonce: String,
    /// The time to which the mark is set.
    pub time: Timestamp,
}

impl Payload for ClockReset {
    const TYPE: DocumentType = DocumentType::ClockReset;

    fn check(&self) -> Result<(), PayloadError> {
        check_hex("nonce", &self.nonce, 16)
    }
}
