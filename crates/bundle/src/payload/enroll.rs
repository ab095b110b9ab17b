//! Enroll: an agent's first call to a Kernel.

use serde::{Deserialize, Serialize};

use super::{DocumentType, Payload, check_hex, check_text};
use crate::{error::PayloadError, key::PublicKey};

/// Proof that whoever holds the enrollment token's secret holds this device key.
///
/// No `Debug`: the secret opens the Kernel to the first device that shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enroll {
    /// The token's secret: 32 bytes as lower-case hex.
    pub secret: String,
    /// A certificate request in DER, base64. Only its public key is taken.
    pub csr: String,
    /// The agent's key.
    pub device_key: PublicKey,
    /// The agent's version.
    pub agent_version: String,
}

impl Payload for Enroll {
    const TYPE: DocumentType = DocumentType::Enroll;

    fn check(&self) -> Result<(), PayloadError> {
        check_hex("secret", &self.secret, 32)?;
        check_text("agent_version", &self.agent_version)
    }
}
