//! How the Kernel is.

use serde::{Deserialize, Serialize};

use farhold_contract::{Sha256Digest, Timestamp, id::TenantId, version::ContractVersion};

use super::TrustAnswer;

/// `GET /kernel/admin/status`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// The Kernel's version.
    pub version: String,
    /// The contract versions it speaks, oldest first.
    pub contract_versions: Vec<ContractVersion>,
    /// The tenant of the administration.
    pub internal_tenant_id: TenantId,
    /// The Kernel's clock.
    pub now: Timestamp,
    /// Where agents reach it.
    pub url: String,
    /// SHA-256 of the CA's public key: the anchor that enrollment tokens name.
    pub ca_sha256: Sha256Digest,
    /// The public key that signs receipts.
    pub receipt_key: String,
    /// The trust root, if one is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustAnswer>,
    /// How many of each there are.
    pub counts: CountsAnswer,
    /// Where the Kernel's own audit chain stands.
    pub chain: ChainHeadAnswer,
}

/// How many of each there are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CountsAnswer {
    /// Organizations.
    pub tenants: u64,
    /// Agents.
    pub agents: u64,
    /// Runtimes.
    pub runtimes: u64,
    /// Licenses.
    pub licenses: u64,
    /// Alerts that nobody has taken on.
    pub open_alerts: u64,
}

/// Where a chain stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainHeadAnswer {
    /// Its epoch.
    pub epoch: String,
    /// The last record; 0 for none.
    pub seq: u64,
    /// The head after it.
    pub head: Sha256Digest,
}
