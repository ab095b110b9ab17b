//! Organizations, and how they are held.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use farhold_api::present;
use farhold_contract::{
    Timestamp,
    call::heartbeat::{KernelStanding, KernelStatus},
    id::TenantId,
    model::{Policies, TenantType},
};

/// `POST /kernel/admin/tenants`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantRequest {
    /// The organization's id where the vendor has given it one; absent: a new one.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// What people call it.
    pub name: String,
    /// What kind of organization it is; `internal` is the Kernel's own.
    #[serde(rename = "type")]
    pub kind: TenantType,
    /// What holds for all it does; absent: the usual.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub policies: Option<Policies>,
}

/// One organization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TenantAnswer {
    /// The organization.
    pub tenant_id: TenantId,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What kind of organization it is.
    #[serde(rename = "type")]
    pub kind: TenantType,
    /// What holds for all it does.
    pub policies: Policies,
    /// Whether it may operate, and without what.
    #[serde(flatten)]
    pub standing: KernelStanding,
    /// When it was created.
    pub created_at: Timestamp,
}

/// `GET /kernel/admin/tenants`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TenantsAnswer {
    /// Every organization, oldest first.
    pub tenants: Vec<TenantAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `PUT …/standing`: of a tenant, a runtime or an agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingRequest {
    /// Whether it may operate.
    pub status: KernelStatus,
    /// With `limited`, and only then: the features denied.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub features_denied: BTreeSet<String>,
}
