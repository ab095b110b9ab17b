//! What a bundle changes, in the answer of `POST /admin/import`: old → new, and who is affected.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use farhold_bundle::{KeyId, Role, payload::Ladder};
use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    id::{LicenseId, TenantId},
};

use super::decision::{FeatureChangeAnswer, LimitsAnswer, ScopeAnswer};

/// What a bundle changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangesAnswer {
    /// The trust root; absent: it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustChangeAnswer>,
    /// The revocations; absent: they stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocations: Option<GenerationsAnswer>,
    /// To what the agent's own time is set; absent: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_reset: Option<Timestamp>,
    /// The time by which licenses are judged from then on, where a date that the bundle brings is
    /// more than a day ahead of both clocks; absent: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<Timestamp>,
    /// The lines of licenses that differ.
    pub lines: Vec<LineChangeAnswer>,
    /// How many runtimes are registered here, and were asked for.
    pub runtimes: usize,
    /// What registered runtimes may no longer use.
    pub stops: Vec<FeatureChangeAnswer>,
    /// What registered runtimes may use that they may not use now, or in another mode.
    pub begins: Vec<FeatureChangeAnswer>,
}

/// From one trust root to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustChangeAnswer {
    /// The root that stood.
    pub before: RootAnswer,
    /// The root after it.
    pub after: RootAnswer,
    /// Keys that came, went, were revoked or have another role.
    pub keys: Vec<KeyChangeAnswer>,
    /// How many keys must sign, where that changes.
    pub thresholds: Vec<ThresholdChangeAnswer>,
    /// CAs of the Kernel that are trusted from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernel_ca_added: Vec<Sha256Digest>,
    /// CAs of the Kernel that the root no longer names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernel_ca_removed: Vec<Sha256Digest>,
}

/// One root, shortly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootAnswer {
    /// Its version.
    pub version: u64,
    /// Past this, nothing new is taken under it.
    pub expires: Timestamp,
}

/// One key between two roots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChangeAnswer {
    /// What becomes of it.
    pub change: KeyChange,
    /// Its id.
    pub key_id: KeyId,
    /// Its name, if the root has one for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The role it has, or had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyChange {
    /// It may sign from now on.
    Added,
    /// It has another role.
    Moved,
    /// It signs nothing new; what it signed stays.
    Removed,
    /// What it signed falls.
    Revoked,
}

/// How many keys of a role must sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdChangeAnswer {
    /// The role.
    pub role: Role,
    /// How many had to.
    pub before: u64,
    /// How many have to.
    pub after: u64,
}

/// From one generation of the revocations to another; 0: none stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationsAnswer {
    /// The one that stood.
    pub before: u64,
    /// The one after it.
    pub after: u64,
}

/// One product of one organization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineChangeAnswer {
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
    /// What decided.
    pub before: LineStandingAnswer,
    /// What decides after it.
    pub after: LineStandingAnswer,
    /// What the license in force says otherwise than the one before it.
    #[serde(flatten)]
    pub content: ContentChangeAnswer,
    /// Licenses that wait for their beginning from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<LaterAnswer>,
    /// Licenses that no longer hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostAnswer>,
}

/// What decides for a line: a license, or the code that says why none does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineStandingAnswer {
    /// The license in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license_id: Option<LicenseId>,
    /// Its serial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// Where it is on its ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Why nothing is in force; absent with a license, and where there is no line at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// What one license says otherwise than another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContentChangeAnswer {
    /// Members of the license as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<TermChangeAnswer>,
    /// Entitlements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<EntitlementChangeAnswer>,
    /// Flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<FlagChangeAnswer>,
}

/// One member of a license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermChangeAnswer {
    /// Its name.
    pub name: String,
    /// What it said; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// One entitlement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntitlementChangeAnswer {
    /// The feature.
    pub feature: String,
    /// For whom.
    #[serde(flatten)]
    pub scope: ScopeAnswer,
    /// What was granted; absent: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<TermsAnswer>,
    /// What is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TermsAnswer>,
}

/// What an entitlement says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TermsAnswer {
    /// How much.
    #[serde(flatten)]
    pub limits: LimitsAnswer,
    /// An end of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// A ladder of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Ladder>,
}

/// One flag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlagChangeAnswer {
    /// Its name.
    pub key: String,
    /// What it was set to; absent: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<FlagAnswer>,
    /// What it is set to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<FlagAnswer>,
}

/// What a flag is set to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlagAnswer {
    /// The value.
    pub value: Value,
    /// Only for these versions of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
}

/// A license that waits for its beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaterAnswer {
    /// The license.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: u64,
    /// From when on it decides.
    pub at: Timestamp,
    /// The serial that it replaces; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<u64>,
    /// What it says otherwise.
    #[serde(flatten)]
    pub content: ContentChangeAnswer,
}

/// A license that no longer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostAnswer {
    /// The license.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: u64,
    /// `revoked`, `barred` or `gone`: fallen with a key, or no longer kept.
    pub why: String,
    /// What bars it from this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}
