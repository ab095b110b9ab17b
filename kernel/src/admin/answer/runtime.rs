//! Runtimes and agents.

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Timestamp,
    call::heartbeat::{Health, HeartbeatReport, KernelStanding},
    id::{RuntimeId, TenantId},
    model::{DeploymentMode, RuntimeType},
};

/// One runtime.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuntimeAnswer {
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// The organization it works for.
    pub tenant_id: TenantId,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: RuntimeType,
    /// Where it is deployed.
    pub deployment_mode: DeploymentMode,
    /// Its version.
    pub version: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// The agent it is registered at; absent: at the Kernel itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// Whether it may operate, and without what.
    #[serde(flatten)]
    pub standing: KernelStanding,
    /// When it registered first.
    pub registered_at: Timestamp,
    /// What its last heartbeat said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
}

/// `GET /kernel/admin/tenants/{tenant_id}/runtimes`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuntimesAnswer {
    /// The organization's runtimes, oldest first.
    pub runtimes: Vec<RuntimeAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentAnswer {
    /// The agent.
    pub runtime_id: RuntimeId,
    /// The organizations of its site; the first is its own.
    pub tenants: Vec<TenantId>,
    /// Its key.
    pub device_key: String,
    /// Its version, as it said at enrollment.
    pub agent_version: String,
    /// Whether it may operate, and without what.
    #[serde(flatten)]
    pub standing: KernelStanding,
    /// When it enrolled first.
    pub enrolled_at: Timestamp,
    /// When its present certificate ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ends: Option<Timestamp>,
    /// When it was heard last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// Its last report; only where one agent is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<HeartbeatReport>,
}

/// `GET /kernel/admin/agents`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentsAnswer {
    /// The agents, oldest first.
    pub agents: Vec<AgentAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
