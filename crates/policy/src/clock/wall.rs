//! Wall: where the system clock stands to what the agent knows of the time, and why.

use std::time::Duration;

use farhold_contract::Timestamp;

use super::{ClockReading, ClockState, DAY, LONGEST_OFF, STEP_TOLERANCE_MS, ms};

/// How far the system clock may be off before it is said: more than drift, less than anything
/// notices.
const NEAR: Duration = Duration::from_mins(5);

/// Where the system clock stands. Nothing is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WallStanding {
    /// Within five minutes of the agent's own time, and contradicted by nothing.
    Agrees,
    /// It is before a date that a signed document proves to have passed.
    BeforeSigned {
        /// By how much.
        by: Duration,
    },
    /// It is behind the agent's own time, and by more than it was ever seen to jump ahead.
    SetBack {
        /// How far it is behind.
        behind: Duration,
    },
    /// It is behind the agent's own time by no more than it had jumped ahead before: somebody has
    /// set right a clock that was ahead, and the mark stands where that clock had been.
    Corrected {
        /// How far it is behind.
        behind: Duration,
        /// It has held for 24 h of uptime, as long as a lead must to be believed.
        settled: bool,
    },
    /// It is ahead of the agent's own time, which follows at the next observation.
    Ahead {
        /// How far.
        by: Duration,
    },
    /// It is more than 24 h ahead, by as much as one time off explains: licenses and quotas go by it,
    /// and the agent's own time follows after 24 h of uptime.
    AfterOff {
        /// How far.
        by: Duration,
    },
    /// It is more than 24 h ahead, by more than time off explains, and the agent's own time does
    /// not follow yet.
    OnProbation {
        /// How far.
        by: Duration,
    },
}

impl WallStanding {
    /// Its name, for programs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::BeforeSigned { .. } => "before_signed",
            Self::SetBack { .. } => "set_back",
            Self::Corrected { .. } => "corrected",
            Self::Ahead { .. } => "ahead",
            Self::AfterOff { .. } => "after_off",
            Self::OnProbation { .. } => "on_probation",
        }
    }
}

impl ClockState {
    /// Where the wall stands, for a reading taken at or after the last observation; `floor` as
    /// [`ClockState::now`] takes it.
    pub fn wall_standing(&self, reading: &ClockReading, floor: Timestamp) -> WallStanding {
        let uptime = self.uptime_until(reading);
        let (wall, mark) = (reading.wall, self.mark + uptime);
        let by = floor.saturating_since(wall);
        if by > NEAR {
            return WallStanding::BeforeSigned { by };
        }
        let (behind, ahead) = (mark.saturating_since(wall), wall.saturating_since(mark));
        if behind > NEAR {
            // A step that no observation has seen yet has held for no time.
            let stepped = self.step_ms(reading, uptime).unsigned_abs() > STEP_TOLERANCE_MS;
            let jump = self.jump.filter(|jump| ms(behind) <= jump.by_ms.saturating_add(ms(NEAR)));
            return match jump {
                None => WallStanding::SetBack { behind },
                Some(jump) => {
                    WallStanding::Corrected { behind, settled: !stepped && jump.held_ms >= ms(DAY) }
                }
            };
        }
        let is_explained = || !self.now(reading, floor).is_on_probation();
        match ahead {
            // One time off explains it, and nothing is judged by the mark.
            by if by > DAY && by <= LONGEST_OFF + DAY && is_explained() => {
                WallStanding::AfterOff { by }
            }
            by if by > DAY => WallStanding::OnProbation { by },
            by if by > NEAR => WallStanding::Ahead { by },
            _ => WallStanding::Agrees,
        }
    }
}
