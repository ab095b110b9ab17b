//! Runtime: an executable unit of a product. It executes; it never decides policy.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{RuntimeId, TenantId};

/// A runtime as contract v0.1 states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runtime {
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// The organization it works for.
    pub tenant_id: TenantId,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: RuntimeType,
    /// Where it is deployed.
    pub deployment_mode: DeploymentMode,
    /// Its own version, in semver where the license is to judge it.
    pub version: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Whether it may operate.
    pub status: RuntimeStatus,
}

/// What a runtime is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeType {
    /// A course platform.
    Courses,
    /// A laboratory.
    Labs,
    /// An application.
    App,
    /// Anything else.
    Custom,
}

impl RuntimeType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::Courses, Self::Labs, Self::App, Self::Custom];

    /// The type as bodies carry it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Courses => "courses",
            Self::Labs => "labs",
            Self::App => "app",
            Self::Custom => "custom",
        }
    }
}

impl fmt::Display for RuntimeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a runtime is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentMode {
    /// With other organizations' runtimes.
    Shared,
    /// For one organization alone.
    Dedicated,
    /// Inside the organization's own network.
    OnPrem,
}

/// Whether a runtime may operate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeStatus {
    /// It is known, and has not been heard of since.
    Registered,
    /// It operates.
    Active,
    /// It may not, until the Kernel says otherwise.
    Suspended,
}
