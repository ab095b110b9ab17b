//! `POST /kernel/runtimes/{runtime_id}/heartbeat`: a runtime says how it is.
//!
//! The answer to v0.1's heartbeat is an empty object. In v0.2 an agent adds a report, and is told
//! what the Kernel takes away for now.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    digest::Sha256Digest,
    id::{LicenseId, RuntimeId, TenantId},
    model::RuntimeType,
    time::Timestamp,
    version::ContractVersion,
};

/// Most seconds a Kernel may ask an agent to wait until its next heartbeat.
pub const POLL_AFTER_MAX: u32 = 86_400;

/// How a runtime is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeartbeatRequest {
    /// Whether it works as it should.
    pub status: Health,
    /// Figures of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<BTreeMap<String, f64>>,
    /// v0.2: where an agent stands; an agent's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<HeartbeatReport>,
}

/// Whether a runtime works as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It does.
    Healthy,
    /// Only in part.
    Degraded,
}

/// The answer to v0.1's heartbeat: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatResponse {}

/// Where an agent stands (contract v0.2 §7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatReport {
    /// This run of the agent: 16 random bytes as lower-case hex. Two alive at once are clones.
    pub instance: String,
    /// The trust root in force, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<ReportedRoot>,
    /// The generation of the revocations in force; 0 for none.
    pub revocations: u64,
    /// The licenses in force.
    pub licenses: Vec<ReportedLicense>,
    /// The digest of the bundle pulled last; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle_digest: Option<Sha256Digest>,
    /// The runtimes registered at the agent.
    pub runtimes: Vec<ReportedRuntime>,
    /// The epoch of the audit chain: 16 bytes as lower-case hex.
    pub epoch: String,
    /// Its last record; 0 for none.
    pub seq: u64,
    /// The head after that record.
    pub head: Sha256Digest,
    /// The agent's own time.
    pub mark: Timestamp,
    /// The system clock.
    pub wall: Timestamp,
    /// The machine as licenses may be bound to it, so that a site is sent what fits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<ReportedFingerprint>,
}

/// The components of a machine, salted (bundle.md §7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedFingerprint {
    /// The agent's salt: 16 bytes as lower-case hex.
    pub salt: String,
    /// Each component's name and the first 8 bytes of its salted hash, as lower-case hex.
    pub components: BTreeMap<String, String>,
    /// Those of the components that can't be read now, each with since when, by the agent's own
    /// time: what they were when they were read last counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remembered: BTreeMap<String, Timestamp>,
}

/// A trust root, by what tells it from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedRoot {
    /// Its version.
    pub version: u64,
    /// The hash of its payload.
    pub sha256: Sha256Digest,
}

/// A license, by what tells it from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedLicense {
    /// The license.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: u64,
    /// The hash of its payload.
    pub sha256: Sha256Digest,
}

/// A runtime registered at an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedRuntime {
    /// The organization it works for.
    pub tenant_id: TenantId,
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: RuntimeType,
    /// Its version.
    pub version: String,
    /// What its last heartbeat said; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
}

/// What the Kernel says to a report. Authenticated, not signed: it can only take away, and give
/// back what a signed license holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatAnswer {
    /// Whether the agent's own tenant may operate, and without what.
    #[serde(flatten)]
    pub standing: KernelStanding,
    /// The site's other tenants that are not active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<TenantStanding>,
    /// The site's runtimes that are not active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runtimes: Vec<RuntimeStanding>,
    /// The digest of the bundle to stand at; absent: none is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle_digest: Option<Sha256Digest>,
    /// The Kernel's clock.
    pub server_time: Timestamp,
    /// Seconds until the next heartbeat: 1 to [`POLL_AFTER_MAX`].
    pub poll_after: u32,
    /// The versions the Kernel speaks, oldest first.
    pub contract_versions: Vec<ContractVersion>,
    /// Runs of records to be sent again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backfill: Vec<Backfill>,
}

/// Whether someone may operate, and without what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelStanding {
    /// Whether it may operate.
    pub status: KernelStatus,
    /// Features denied for now; empty unless limited.
    pub features_denied: BTreeSet<String>,
}

/// Whether someone may operate, as the Kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelStatus {
    /// It may.
    Active,
    /// It may not.
    Suspended,
    /// It may, without the features denied.
    Limited,
}

/// How the Kernel holds an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantStanding {
    /// The organization.
    pub tenant_id: TenantId,
    /// Whether it may operate, and without what.
    #[serde(flatten)]
    pub standing: KernelStanding,
}

/// How the Kernel holds a runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeStanding {
    /// The organization it works for.
    pub tenant_id: TenantId,
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// Whether it may operate, and without what.
    #[serde(flatten)]
    pub standing: KernelStanding,
}

/// A run of records that the Kernel asks for again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// The epoch: 16 bytes as lower-case hex.
    pub epoch: String,
    /// Its first record.
    pub from: u64,
    /// Its last record.
    pub to: u64,
}

impl KernelStanding {
    /// Nothing is taken away.
    pub const ACTIVE: Self =
        Self { status: KernelStatus::Active, features_denied: BTreeSet::new() };

    /// Whether nothing is taken away.
    pub fn is_active(&self) -> bool {
        self.status == KernelStatus::Active
    }
}
