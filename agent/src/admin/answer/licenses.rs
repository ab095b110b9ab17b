//! Licenses as they stand, and what will be in force when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use farhold_bundle::PublicKey;
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
    /// What it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_to: Option<BoundToAnswer>,
    /// For which sites it is: `managed`, `detached`.
    #[serde(default)]
    pub modes: Vec<String>,
    /// At how many sites it may stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<u64>,
    /// Its features.
    pub features: Vec<String>,
    /// Why it can't be in force at this site, if it can't (`code: detail`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_admitted: Option<String>,
}

/// What a license is bound to, beside this site as it was last looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BoundToAnswer {
    /// `nothing`, `device_key` or `fingerprint`.
    pub kind: String,
    /// Whether this site is it.
    pub holds: bool,
    /// The device key that it is bound to, if one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_key: Option<PublicKey>,
    /// How many of the components must hold, if it is bound to such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<u64>,
    /// How many do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holding: Option<u64>,
    /// Each of the components: `same`, `changed` or `unknown`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub components: BTreeMap<String, String>,
    /// Those that hold without having been read, each with since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remembered: BTreeMap<String, Timestamp>,
}
