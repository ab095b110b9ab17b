//! What is decided, in the words that several answers share: for whom, how much, and the verdict.

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Code,
    id::{RuntimeId, TenantId},
    mode::Mode,
    model::RuntimeType,
};

/// For whom an entitlement is; both absent: every runtime.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeAnswer {
    /// Runtimes of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_type: Option<RuntimeType>,
    /// This runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
}

/// How much of a feature is granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsAnswer {
    /// Units per window; absent: as many as wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// Units above the quota that are still given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overage: Option<u64>,
    /// After which the quota begins anew; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_window: Option<String>,
    /// How many at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
}

/// What a check is answered: a mode, or the code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictAnswer {
    /// In which mode it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Why it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// A feature, and registered runtimes whose checks of it are answered otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureChangeAnswer {
    /// The organization.
    pub tenant_id: TenantId,
    /// The feature.
    pub feature: String,
    /// The runtimes.
    pub runtimes: Vec<RuntimeId>,
    /// What they are answered now.
    pub before: VerdictAnswer,
    /// What they would be answered.
    pub after: VerdictAnswer,
}
