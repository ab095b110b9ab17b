//! What the chain is told of the clock.

use std::time::Duration;

use serde_json::json;

use farhold_audit::OwnKind;
use farhold_policy::ClockChange;

use crate::own_event::Draft;

/// What is to be kept of a clock that was set, or fell behind (`bundle.md` §5).
pub(in crate::owner) fn told(change: ClockChange) -> Option<Draft> {
    match change {
        ClockChange::RolledBack { behind } => {
            Some(Draft::new(OwnKind::ClockRollback, json!({"behind_seconds": behind.as_secs()})))
        }
        ClockChange::Stepped { by_ms } => Some(step(by_ms, "set")),
        ClockChange::LeadSeen { lead } => Some(step(ms(lead), "on_probation")),
        ClockChange::LeadAdopted { lead } => Some(step(ms(lead), "adopted")),
        ClockChange::Nothing | ClockChange::Lowered { .. } => None,
    }
}

/// A step and what became of it: followed or not worth following, on probation, or believed.
fn step(by_ms: i64, state: &str) -> Draft {
    Draft::new(OwnKind::ClockStep, json!({"by_ms": by_ms, "state": state}))
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
