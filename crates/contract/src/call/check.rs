//! `POST /kernel/entitlements/check`: may this runtime use this feature now?

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    code::Code,
    id::{DecisionId, RuntimeId, TenantId},
    mode::Mode,
    model::Limits,
    time::Timestamp,
};

/// The question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckRequest {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime that asks.
    pub runtime_id: RuntimeId,
    /// What it wants to use.
    pub feature: String,
    /// What the decision may depend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<CheckContext>,
}

/// What a decision may depend on. v0.1 leaves its members open: unknown ones are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckContext {
    /// v0.2: check and consume that many units atomically; absent: look only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consume: Option<u64>,
    /// Everything else the runtime said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The answer. A v0.1 caller sees `allowed` and `limits` alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResponse {
    /// Whether it may.
    pub allowed: bool,
    /// How much of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// v0.2: why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Code>,
    /// v0.2: how fresh and whole the word behind the answer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// v0.2: what has been used, where the feature is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// v0.2: names this answer in the audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<DecisionId>,
}

impl CheckResponse {
    /// The answer as a v0.1 caller sees it.
    #[must_use]
    pub fn in_v0_1(self) -> Self {
        Self {
            allowed: self.allowed,
            limits: self.limits,
            reason: None,
            mode: None,
            usage: None,
            decision_id: None,
        }
    }
}

/// What has been used of a quota in its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Units used.
    pub used: u64,
    /// Units left, counting what the license allows above the quota.
    pub remaining: u64,
    /// When the quota begins anew; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<Timestamp>,
}
