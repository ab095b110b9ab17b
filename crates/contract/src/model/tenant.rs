//! Tenant: an organization; never a user, never a product.

use serde::{Deserialize, Serialize};

use crate::id::TenantId;

/// An organization as contract v0.1 states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The organization.
    pub tenant_id: TenantId,
    /// What kind of organization it is.
    #[serde(rename = "type")]
    pub kind: TenantType,
    /// Whether it may operate. Inside a license the agent ignores it: only the Kernel suspends.
    pub status: TenantStatus,
    /// What holds for all it does.
    pub policies: Policies,
}

/// The kind of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantType {
    /// An organization of one.
    Individual,
    /// A company.
    Company,
    /// The administration itself: the same API, mandatory audit, no bypass.
    Internal,
}

/// Whether an organization may operate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// It may.
    Active,
    /// It may not, until the Kernel says otherwise.
    Suspended,
}

/// What holds for all an organization does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// How strictly it is held.
    pub security_level: SecurityLevel,
    /// Where its data must stay, in the Kernel's own terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_residency: Option<String>,
}

/// How strictly an organization is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityLevel {
    /// The usual.
    Standard,
    /// What an enterprise agreed on.
    Enterprise,
}
