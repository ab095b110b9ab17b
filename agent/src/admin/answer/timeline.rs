//! What will be in force when: the dated steps ahead, in the order of time.

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Date, Timestamp,
    id::{LicenseId, TenantId},
};

use super::decision::ScopeAnswer;

/// One step on the ladder of a license, or of entitlements with an end or ladder of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MilestoneAnswer {
    /// When.
    pub at: Timestamp,
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
    /// The license.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: u64,
    /// `begins`, `warns`, `ends`, `restricts` or `stops`.
    pub step: String,
    /// With `begins`: the serial that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<u64>,
    /// With `ends`: the phase that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
    /// With a stop: runtimes released before this day stay covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_before: Option<Date>,
    /// The entitlements that take this step; empty: the license as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<MilestoneEntitlement>,
    /// The step in words.
    pub words: String,
}

/// An entitlement by its feature and for whom it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MilestoneEntitlement {
    /// The feature.
    pub feature: String,
    /// For whom.
    #[serde(flatten)]
    pub scope: ScopeAnswer,
}
