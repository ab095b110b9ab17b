//! `GET /admin/what-if`: what would be decided at another time, by another clock, on another
//! machine.

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Code, Timestamp,
    id::{LicenseId, TenantId},
};

use super::{
    ClockAnswer,
    decision::{FeatureChangeAnswer, LimitsAnswer, ScopeAnswer, VerdictAnswer},
    timeline::MilestoneAnswer,
};

/// What would be decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WhatIfAnswer {
    /// The clocks today.
    pub today: ClockAnswer,
    /// The clocks as supposed: licenses would be judged by its `now`.
    pub then: ClockAnswer,
    /// What the agent would notice of its clock on the way there.
    pub noticed: Vec<NoticedAnswer>,
    /// The components of the machine that are supposed to be gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// What happens to licenses on the way there.
    pub timeline: Vec<MilestoneAnswer>,
    /// Each product of each organization.
    pub lines: Vec<LineOutlookAnswer>,
    /// Licenses that this site would not admit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_admitted: Vec<NotAdmittedAnswer>,
    /// How many runtimes are registered here, and were asked for.
    pub runtimes: usize,
    /// What registered runtimes would be refused; `before` is what they are answered today.
    pub refused: Vec<FeatureChangeAnswer>,
    /// What registered runtimes would be answered otherwise than today, and not refused.
    pub otherwise: Vec<FeatureChangeAnswer>,
}

/// Something that the agent notices of its clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedAnswer {
    /// When, by the agent's own time.
    pub at: Timestamp,
    /// `stepped`, `rolled_back`, `lead_seen`, `lead_adopted` or `lowered`.
    pub change: String,
    /// The change in words.
    pub words: String,
}

/// One product of one organization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineOutlookAnswer {
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
    /// The license in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license_id: Option<LicenseId>,
    /// Its serial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// Where it is on its ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Its signed end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// What it answers as a whole, or why nothing is in force.
    #[serde(flatten)]
    pub verdict: VerdictAnswer,
    /// The serial that takes over next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_serial: Option<u64>,
    /// And when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// Each entitlement of the license in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<EntitlementOutlookAnswer>,
}

/// One entitlement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EntitlementOutlookAnswer {
    /// The feature.
    pub feature: String,
    /// For whom.
    #[serde(flatten)]
    pub scope: ScopeAnswer,
    /// How much.
    #[serde(flatten)]
    pub limits: LimitsAnswer,
    /// Where it is on its ladder.
    pub phase: String,
    /// Its signed end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// What it answers to runtimes that it covers to the license's end.
    #[serde(flatten)]
    pub verdict: VerdictAnswer,
    /// What it answers to runtimes that were released before the license's day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<VerdictAnswer>,
}

/// A license that this site would not admit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotAdmittedAnswer {
    /// The license.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: u64,
    /// Why.
    pub code: Code,
    /// What exactly.
    pub detail: String,
}
