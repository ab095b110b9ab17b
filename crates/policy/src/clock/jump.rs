//! Jump: what tells a clock that was set right from one that was set back.
//!
//! Nothing is decided by it: it is there to say the truth about a mark that stands above the wall.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use farhold_contract::Timestamp;

use super::{DAY, STEP_TOLERANCE_MS, ms};

/// So long it may take until somebody notices that a clock is ahead. A wall that has been at the
/// mark for longer, in uptime, is the one that is believed when a later one is behind it.
const NOTICED_WITHIN: Duration = Duration::from_hours(7 * 24);

/// How far the mark may stand above the truth because it followed a wall that was set ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Jump {
    /// By how much the mark rose beyond uptime.
    pub(super) by_ms: u64,
    /// How long the machine has run since the wall last stepped.
    pub(super) held_ms: u64,
}

/// What one observation did to the clocks.
pub(super) struct Observed {
    /// Between the readings, as far as that is known.
    pub(super) uptime: Duration,
    /// By how much the wall stepped.
    pub(super) step_ms: i64,
    /// By how much the mark rose beyond uptime.
    pub(super) raised: Duration,
    /// Whether the machine has booted between the readings: it may have been off as long.
    pub(super) booted: bool,
    /// Whether the wall is where the mark is.
    pub(super) at_the_mark: bool,
}

impl Jump {
    /// Of the first wall ever seen nothing is known.
    pub(super) fn first(wall: Timestamp) -> Self {
        Self { by_ms: u64::try_from(wall.as_ms()).unwrap_or(0), held_ms: 0 }
    }

    /// The Kernel agrees with the wall: what the mark is above it is proved, and settled.
    pub(super) fn proved(behind: Duration) -> Option<Self> {
        (!behind.is_zero()).then(|| Self { by_ms: ms(behind), held_ms: ms(DAY) })
    }

    /// What is remembered after an observation.
    pub(super) fn after(before: Option<Self>, observed: &Observed) -> Option<Self> {
        let raised_ms = ms(observed.raised);
        if raised_ms > STEP_TOLERANCE_MS {
            let by_ms = before.map_or(0, |jump| jump.by_ms);
            // Across boots the time off may be all of it, or hide a clock that came back wrong.
            let by_ms = match observed.booted {
                true => by_ms.max(raised_ms),
                false => by_ms.saturating_add(raised_ms),
            };
            return Some(Self { by_ms, held_ms: 0 });
        }
        let mut jump = before?;
        jump.held_ms = match observed.step_ms.unsigned_abs() > STEP_TOLERANCE_MS {
            true => 0,
            false => jump.held_ms.saturating_add(ms(observed.uptime)),
        };
        let believed = observed.at_the_mark && jump.held_ms >= ms(NOTICED_WITHIN);
        (!believed).then_some(jump)
    }
}
