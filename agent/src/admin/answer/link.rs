//! The link to the Kernel, as the admin door tells it.

use serde::{Deserialize, Serialize};

use farhold_contract::{Timestamp, id::RuntimeId};

/// The link, in `GET /statusz`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkAnswer {
    /// `online` or `offline`.
    pub state: String,
    /// The Kernel's base URL.
    pub kernel: String,
    /// The agent, as the Kernel knows it.
    pub runtime_id: RuntimeId,
    /// When the Kernel last accepted a heartbeat, in this run of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// When a bundle was last pulled, or found to be the one at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled_at: Option<Timestamp>,
    /// When a batch of the audit was last receipted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_at: Option<Timestamp>,
    /// When the agent's certificate ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ends: Option<Timestamp>,
    /// Why the Kernel can't be asked, as long as it can't, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// What the Kernel has taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_away: Option<String>,
}
