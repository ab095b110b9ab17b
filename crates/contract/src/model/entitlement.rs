//! Entitlement: that a runtime may use a feature, how much of it, and until when.

use serde::{Deserialize, Serialize};

use crate::{
    id::{RuntimeId, TenantId},
    time::Timestamp,
};

/// An entitlement as contract v0.1 states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entitlement {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime that may.
    pub runtime_id: RuntimeId,
    /// What it may use.
    pub feature: String,
    /// How much of it.
    pub limits: Limits,
    /// The signed end; never the grace that may follow it.
    pub valid_until: Timestamp,
}

/// How much of a feature may be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Units per window; absent: as many as wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<u64>,
    /// An ISO 8601 duration after which the quota begins anew; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_window: Option<String>,
}
