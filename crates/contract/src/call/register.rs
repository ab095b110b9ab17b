//! `POST /kernel/runtimes/register`: a runtime states what it is and is given its identifier.

use serde::{Deserialize, Serialize};

use crate::{
    date::Date,
    id::{RuntimeId, TenantId},
    model::{DeploymentMode, Policies, RuntimeStatus, RuntimeType},
};

/// What the runtime states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisterRequest {
    /// The organization it works for.
    pub tenant_id: TenantId,
    /// What it is.
    pub runtime_type: RuntimeType,
    /// Where it is deployed.
    pub deployment_mode: DeploymentMode,
    /// Its version.
    pub version: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// v0.2: the id under which an agent registered it while the Kernel was away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// v0.2: the date (`YYYY-MM-DD`) its version was released, for licenses by release date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_on: Option<Date>,
}

/// What the runtime is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisterResponse {
    /// Its identifier: the same for each later registration with the same token.
    pub runtime_id: RuntimeId,
    /// `registered`.
    pub status: RuntimeStatus,
    /// What holds for all it does.
    pub policies_applied: Policies,
}
