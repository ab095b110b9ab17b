//! What a license asks of the site beside its entitlements.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{error::PayloadError, period::Period};

/// How a site is linked to the Kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteMode {
    /// By an outbound link.
    Managed,
    /// Not at all, ever: files are carried by hand.
    Detached,
}

/// What must be kept of a license's use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRules {
    /// Which decisions leave an event of the agent's own.
    #[serde(default = "denied_and_consumed")]
    pub decisions: BTreeSet<DecisionRecord>,
    /// How long a record is kept after its receipt; absent: 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Period>,
    /// JSON Pointers below `/payload` whose values are taken out before the event is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redact: Vec<String>,
    /// What happens to consumption when the queue is full.
    #[serde(default)]
    pub when_full: WhenFull,
}

/// A kind of decision that leaves an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionRecord {
    /// Refusals.
    Denied,
    /// What used up a quota.
    Consumed,
    /// Every decision.
    All,
}

/// What happens to consumption when the queue is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// It goes on and is still recorded: only runtimes' own events are refused.
    #[default]
    Count,
    /// It is refused.
    Refuse,
}

/// What the site may report of its use. The site's own configuration may allow less, never more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Telemetry {
    /// Nothing.
    #[default]
    None,
    /// Sums.
    Aggregate,
    /// Everything.
    Full,
}

fn denied_and_consumed() -> BTreeSet<DecisionRecord> {
    BTreeSet::from([DecisionRecord::Denied, DecisionRecord::Consumed])
}

impl SiteMode {
    /// The mode as documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Detached => "detached",
        }
    }
}

impl Default for AuditRules {
    fn default() -> Self {
        Self {
            decisions: denied_and_consumed(),
            retention: None,
            redact: Vec::new(),
            when_full: WhenFull::default(),
        }
    }
}

impl AuditRules {
    /// Whether decisions of this kind leave an event.
    pub fn records(&self, kind: DecisionRecord) -> bool {
        self.decisions.contains(&kind) || self.decisions.contains(&DecisionRecord::All)
    }

    pub(super) fn check(&self) -> Result<(), PayloadError> {
        let below_payload = |pointer: &String| {
            pointer.strip_prefix("/payload/").is_some_and(|rest| !rest.is_empty())
        };
        if self.redact.len() > 64 || !self.redact.iter().all(below_payload) {
            return Err(PayloadError::invalid(
                "audit.redact",
                "must be at most 64 JSON Pointers below /payload",
            ));
        }
        Ok(())
    }
}
