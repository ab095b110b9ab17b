//! Renew: an agent's call for a new certificate, also after the old one ended.

use serde::{Deserialize, Serialize};

use farhold_contract::{Timestamp, id::RuntimeId};

use super::{DocumentType, Payload, check_hex};
use crate::error::PayloadError;

/// Signed by the device key: an expired certificate strands nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renew {
    /// The agent as the Kernel knows it.
    pub runtime_id: RuntimeId,
    /// A certificate request in DER, base64. Only its public key is taken.
    pub csr: String,
    /// 16 bytes as lower-case hex.
    pub nonce: String,
    /// The system clock.
    pub wall: Timestamp,
}

impl Payload for Renew {
    const TYPE: DocumentType = DocumentType::Renew;

    fn check(&self) -> Result<(), PayloadError> {
        check_hex("nonce", &self.nonce, 16)
    }
}
