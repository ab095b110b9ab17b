//! `POST /kernel/runtimes/{runtime_id}/heartbeat`: a runtime says how it is.
//!
//! The answer to v0.1's heartbeat is an empty object. The report of an agent and the Kernel's
//! answer to it (v0.2) come with the link.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a runtime is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeartbeatRequest {
    /// Whether it works as it should.
    pub status: Health,
    /// Figures of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<BTreeMap<String, f64>>,
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
