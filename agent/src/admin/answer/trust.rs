//! The trust root, as the admin door tells it.

use serde::{Deserialize, Serialize};

use farhold_contract::{Sha256Digest, Timestamp, id::IssuerId};

/// `GET /admin/trust`, `POST /admin/trust`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrustAnswer {
    /// The issuer's id.
    pub issuer_id: IssuerId,
    /// The issuer's name.
    pub issuer_name: String,
    /// The root's version.
    pub version: u64,
    /// SHA-256 of its payload: compare it with the vendor over another channel.
    pub sha256: Sha256Digest,
    /// Past this, nothing new is taken under it.
    pub expires: Timestamp,
    /// The version that was installed first.
    pub installed_version: u64,
}
