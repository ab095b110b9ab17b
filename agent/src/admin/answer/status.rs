//! The site at a glance: its clocks, its queue, what is wrong.

use serde::{Deserialize, Serialize};

use farhold_contract::{Timestamp, condition::Condition, id::TenantId};

use super::{link::LinkAnswer, queue::QueueAnswer, trust::TrustAnswer};

/// `GET /statusz`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// The agent's version.
    pub version: String,
    /// `managed` or `detached`; absent while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The organizations served here.
    pub tenants: Vec<TenantId>,
    /// The agent's key.
    pub device_key: String,
    /// Since when this process runs, by the time that licenses are judged by.
    pub started_at: Timestamp,
    /// Whether a verified bundle can answer.
    pub ready: bool,
    /// The link to the Kernel, where the agent is enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkAnswer>,
    /// What is wrong, worst first.
    pub conditions: Vec<Condition>,
    /// The trust root, if one is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustAnswer>,
    /// The clocks.
    pub clock: ClockAnswer,
    /// The audit queue.
    pub queue: QueueAnswer,
    /// Runtimes registered here.
    pub runtimes: usize,
}

/// The clocks, as `bundle.md` §5 names them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClockAnswer {
    /// The system clock.
    pub wall: Timestamp,
    /// The agent's own time.
    pub mark: Timestamp,
    /// The latest date that a document in force proves to have passed.
    pub floor: Timestamp,
    /// The time by which licenses are judged.
    pub now: Timestamp,
    /// The document whose date the floor is; absent: none stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_by: Option<String>,
    /// Where the system clock stands: `agrees`, `ahead`, `after_off` (ahead by as much as the
    /// machine may have been off), `on_probation`, `set_back`, `corrected` (behind because it had
    /// been ahead) or `before_signed`.
    #[serde(default)]
    pub wall_is: String,
    /// The system clock is more than 24 hours behind the agent's own time.
    #[serde(default)]
    pub rolled_back: bool,
    /// The system clock is further ahead of the agent's own time than is believed of it yet.
    #[serde(default)]
    pub on_probation: bool,
}
