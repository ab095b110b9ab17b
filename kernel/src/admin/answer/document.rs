//! The trust root, bundles, licenses.

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{IssuerId, LicenseId, TenantId},
};

use crate::sending::HeldBack;

/// `GET` and `POST /kernel/admin/trust`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrustAnswer {
    /// The issuer's id.
    pub issuer_id: IssuerId,
    /// The issuer's name.
    pub issuer_name: String,
    /// The root's version.
    pub version: u64,
    /// SHA-256 of its payload.
    pub sha256: Sha256Digest,
    /// Past this, nothing new is taken under it.
    pub expires: Timestamp,
    /// The version that was installed first.
    pub installed_version: u64,
}

/// `POST /kernel/admin/bundles?dry_run=`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UploadAnswer {
    /// `false` for a dry run.
    pub applied: bool,
    /// SHA-256 of the bundle's bytes.
    pub bundle_sha256: Sha256Digest,
    /// What each line is.
    pub lines: Vec<LineAnswer>,
    /// What falls with a revoked key, named for people.
    pub fallen: Vec<String>,
    /// New licenses that the vendor's ledger does not have, named for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_in_ledger: Vec<String>,
    /// What would stand here and that no site can be sent, named for people with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<String>,
}

/// One line of a bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineAnswer {
    /// Its number, from 1.
    pub line: usize,
    /// Its type.
    pub document: String,
    /// Type and number, for people.
    pub name: String,
    /// `new`, `known` or `superseded`.
    pub outcome: String,
}

/// `GET /kernel/admin/tenants/{tenant_id}/licenses`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LicensesAnswer {
    /// The Kernel's clock.
    pub now: Timestamp,
    /// How many agents the organization has.
    pub agents: u64,
    /// The organization's licenses, by product and serial.
    pub licenses: Vec<LicenseAnswer>,
}

/// One license as it stands at the Kernel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LicenseAnswer {
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
    /// The license.
    pub license_id: LicenseId,
    /// Its revision.
    pub serial: u64,
    /// SHA-256 of its payload.
    pub sha256: Sha256Digest,
    /// Whom it was issued to.
    pub issued_to: String,
    /// When it begins.
    pub begins: Timestamp,
    /// The signed end; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// At how many sites it may stand.
    pub sites: u64,
    /// Whether it is the one of its line that decides.
    pub in_force: bool,
    /// Whether the revocations in force take it away.
    pub revoked: bool,
    /// The features it grants.
    pub features: Vec<String>,
    /// `nothing`, `device_key` or `fingerprint`.
    pub bound_to: String,
    /// The device key that it is bound to, if one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_key: Option<String>,
    /// To how many of the agents it is sent.
    pub sent_to: u64,
    /// Why it is sent to none, whichever it is; absent: it is sent to those that it fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
    /// Whether the vendor's ledger has it; absent: none is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_ledger: Option<bool>,
}
