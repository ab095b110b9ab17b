//! What the agent would notice of its clock, in words.

use std::time::Duration;

use farhold_contract::Timestamp;
use farhold_policy::ClockChange;
use farhold_terminal::text;

use crate::admin::answer::what_if::NoticedAnswer;

/// One change of the clock; none for one that is nothing.
pub(super) fn noticed(at: Timestamp, change: ClockChange) -> Option<NoticedAnswer> {
    let length = |duration| text::span(duration).unwrap_or_else(|| "no time".to_owned());
    let (name, words) = match change {
        ClockChange::Nothing => return None,
        ClockChange::Stepped { by_ms } => {
            let by = length(Duration::from_millis(by_ms.unsigned_abs()));
            let to = if by_ms < 0 { "back" } else { "ahead" };
            ("stepped", format!("the system clock is set {to} by {by}"))
        }
        ClockChange::RolledBack { behind } => (
            "rolled_back",
            format!(
                "the system clock is {} behind the agent's own time: clock_rollback is said, and nothing is denied for it",
                length(behind)
            ),
        ),
        ClockChange::LeadSeen { lead } => (
            "lead_seen",
            format!(
                "the system clock is {} ahead: it is on probation for 24 hours of uptime",
                length(lead)
            ),
        ),
        ClockChange::LeadAdopted { lead } => (
            "lead_adopted",
            format!("the agent's own time follows the system clock, {} ahead", length(lead)),
        ),
        ClockChange::Lowered { from, to } => {
            ("lowered", format!("the agent's own time is lowered from {from} to {to}"))
        }
    };
    Some(NoticedAnswer { at, change: name.to_owned(), words })
}
