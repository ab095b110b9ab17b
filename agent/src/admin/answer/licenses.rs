//! Licenses as they stand, and what will be in force when.

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{LicenseId, TenantId},
};

use super::timeline::MilestoneAnswer;

/// `GET /admin/licenses`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LicensesAnswer {
    /// The time by which phases are told.
    pub now: Timestamp,
    /// Every license, by line and serial.
    pub licenses: Vec<LicenseAnswer>,
    /// What will be in force when, in the order of time.
    #[serde(default)]
    pub timeline: Vec<MilestoneAnswer>,
}

/// One license as it stands.
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
    /// Whether it is the one of its line that decides.
    pub in_force: bool,
    /// `not_begun`, `in_force`, `expiring`, `grace`, `restricted`, `stopped`, `revoked`, or
    /// `not_admitted`.
    pub phase: String,
    /// When it begins.
    pub begins: Timestamp,
    /// The signed end; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// The end of the grace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ends: Option<Timestamp>,
    /// When it stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stops: Option<Timestamp>,
    /// From when on it decides, decided or will decide; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_from: Option<Timestamp>,
    /// When another takes its place; absent: none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_until: Option<Timestamp>,
    /// Its features.
    pub features: Vec<String>,
    /// Why it can't be in force at this site, if it can't (`code: detail`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_admitted: Option<String>,
}
