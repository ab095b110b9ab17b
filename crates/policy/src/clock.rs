//! Clock: what time it is when the machine's clock may be wrong, by accident or on purpose.

mod jump;
mod wall;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use farhold_contract::Timestamp;

use jump::{Jump, Observed};

pub use wall::WallStanding;

/// How far a clock may be wrong without anything being made of it (`bundle.md` §5).
const DAY: Duration = Duration::from_hours(24);

/// How long a machine may be off without its clock being doubted: a long weekend (`bundle.md` §5.4).
const LONGEST_OFF: Duration = Duration::from_hours(96);

/// How far wall and uptime may drift apart between two readings without it being a step.
///
/// Far above what time synchronization slews, far below what setting a clock by hand gains.
const STEP_TOLERANCE_MS: u64 = 60_000;

/// How close the Kernel's time must be to the wall to vouch for it: an answer's time of travel.
const KERNEL_AGREES_MS: u64 = 5 * 60_000;

/// Both clocks of the machine, read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    /// The system clock: anyone with the right to may set it.
    pub wall: Timestamp,
    /// CLOCK_BOOTTIME in milliseconds: nobody sets it, and it counts suspended time.
    pub boottime_ms: u64,
    /// Which boot `boottime_ms` counts from.
    pub boot_id: [u8; 16],
}

/// The agent's own time, kept across restarts.
///
/// Write it at each start, at least every 60 s, and with the first commit of each second: what is not written is lost with the
/// process, and uptime counts only from a write within the same boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    mark: Timestamp,
    seen: ClockReading,
    /// Quota time when it was last observed; absent in states of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quota: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lead: Option<Lead>,
    /// What a mark above the wall may come from; absent in states of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jump: Option<Jump>,
}

/// A wall more than 24 h ahead of the mark, on probation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Lead {
    /// How long the machine has run without the wall stepping again.
    held_ms: u64,
}

/// What an observation showed; the gravest where several things happened at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// Nothing to tell.
    Nothing,
    /// The wall was set, by this many milliseconds against the machine's uptime.
    Stepped {
        /// Positive: ahead.
        by_ms: i64,
    },
    /// The wall fell more than 24 h behind the mark: the condition `clock_rollback` begins.
    RolledBack {
        /// How far it is behind.
        behind: Duration,
    },
    /// The wall went more than 24 h ahead of the mark: it is on probation.
    LeadSeen {
        /// How far it is ahead.
        lead: Duration,
    },
    /// A wall more than 24 h ahead was believed: the mark is there now.
    LeadAdopted {
        /// How far the mark moved.
        lead: Duration,
    },
    /// The Kernel's time showed the mark to be too far ahead and lowered it.
    Lowered {
        /// The mark before.
        from: Timestamp,
        /// The Kernel's time.
        to: Timestamp,
    },
}

/// The time that decisions are made at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// What ladders and beginnings are judged by: max(wall, mark, floor).
    pub instant: Timestamp,
    /// What windows are judged by: max(wall, mark), at most 24 h past the mark or as far as it has
    /// gone on with the machine.
    pub quota: Timestamp,
    /// The system clock.
    pub wall: Timestamp,
    /// The agent's own time.
    pub mark: Timestamp,
    /// The greatest `issued_at` among the documents in force.
    pub floor: Timestamp,
}

impl ClockState {
    /// Begins at the first wall ever seen.
    pub fn start(reading: &ClockReading) -> Self {
        let jump = Some(Jump::first(reading.wall));
        let quota = Some(reading.wall);
        Self { mark: reading.wall, seen: *reading, quota, lead: None, jump }
    }

    /// Takes a reading in; `kernel_time` is what the Kernel just said over its authenticated link.
    ///
    /// Call it with every reading: a lead of up to 24 h is adopted here and nowhere else, and
    /// only what is adopted can't be lost by setting the wall back.
    pub fn observe(
        &mut self,
        reading: &ClockReading,
        kernel_time: Option<Timestamp>,
    ) -> ClockChange {
        let uptime = self.uptime_until(reading);
        let step_ms = self.step_ms(reading, uptime);
        let lead_goes_on = self.lead_goes_on(reading, step_ms);
        let was_behind = is_rolled_back(self.seen.wall, self.mark);
        let booted = reading.boot_id != self.seen.boot_id;
        let gone_on = self.quota_gone_on(reading);
        self.mark = self.mark + uptime;
        self.seen = *reading;

        let lowered = kernel_time.and_then(|kernel| self.lower(kernel));
        // A mark that was proved wrong takes with it what quota time had gone on to.
        let gone_on = if lowered.is_some() { self.mark } else { gone_on };
        let before = self.mark;
        let followed = self.follow(reading.wall, uptime, lead_goes_on, kernel_time);
        self.quota = Some(quota(reading.wall, self.mark, gone_on));
        let raised = self.mark.saturating_since(before);
        let at_the_mark = ms(self.mark.saturating_since(reading.wall)) <= STEP_TOLERANCE_MS;
        let observed = Observed { uptime, step_ms, raised, booted, at_the_mark };
        self.jump = match kernel_time {
            Some(kernel) if is_vouched(reading.wall, kernel) => {
                Jump::proved(self.mark.saturating_since(reading.wall))
            }
            Some(kernel) if is_vouched(self.mark, kernel) => None,
            _ => Jump::after(self.jump, &observed),
        };
        if let Some(change) = lowered.or(followed) {
            return change;
        }
        if is_rolled_back(reading.wall, self.mark) && !was_behind {
            return ClockChange::RolledBack { behind: self.mark.saturating_since(reading.wall) };
        }
        if step_ms.unsigned_abs() > STEP_TOLERANCE_MS {
            return ClockChange::Stepped { by_ms: step_ms };
        }
        ClockChange::Nothing
    }

    /// Sets the mark: a `clock-reset` was verified and is applied.
    pub fn reset_to(&mut self, time: Timestamp, reading: &ClockReading) {
        *self = Self { mark: time, seen: *reading, quota: Some(time), lead: None, jump: None };
    }

    /// The agent's own time when it was last observed.
    pub const fn mark(&self) -> Timestamp {
        self.mark
    }

    /// The time to decide at, for a reading taken at or after the last observation.
    ///
    /// `floor` is the greatest `issued_at` among root, licenses and revocations in force.
    pub fn now(&self, reading: &ClockReading, floor: Timestamp) -> Now {
        let mark = self.mark + self.uptime_until(reading);
        let ahead = reading.wall.max(mark);
        Now {
            instant: ahead.max(floor),
            quota: quota(reading.wall, mark, self.quota_gone_on(reading)),
            wall: reading.wall,
            mark,
            floor,
        }
    }

    /// How long the machine has surely run since the last observation.
    ///
    /// Across boots that is unknown: the uptime of another boot may be another machine's, where
    /// the state was moved.
    fn uptime_until(&self, reading: &ClockReading) -> Duration {
        if reading.boot_id != self.seen.boot_id {
            return Duration::ZERO;
        }
        Duration::from_millis(reading.boottime_ms.saturating_sub(self.seen.boottime_ms))
    }

    /// Quota time had nobody set the wall since the last observation: it goes on with uptime, and
    /// with the wall while the machine is off for no longer than it may be.
    fn quota_gone_on(&self, reading: &ClockReading) -> Timestamp {
        let seen = self.quota.unwrap_or(self.seen.wall.min(self.mark + DAY)).max(self.mark);
        match reading.boot_id == self.seen.boot_id {
            true => seen + self.uptime_until(reading),
            false => seen + reading.wall.saturating_since(self.seen.wall).min(LONGEST_OFF),
        }
    }

    /// How far the wall was set since the last observation, as far as that can be known.
    fn step_ms(&self, reading: &ClockReading, uptime: Duration) -> i64 {
        let moved_ms = reading.wall.as_ms() - self.seen.wall.as_ms();
        if reading.boot_id != self.seen.boot_id {
            // Forward may be the time the machine was off; back is a step whatever it was.
            return moved_ms.min(0);
        }
        moved_ms.saturating_sub_unsigned(ms(uptime))
    }

    /// Whether a lead on probation may count what it has held.
    fn lead_goes_on(&self, reading: &ClockReading, step_ms: i64) -> bool {
        // A night or a weekend off is no step, or a machine used by day would stay on probation
        // for ever.
        let off = reading.wall.saturating_since(self.seen.wall);
        let same_boot = reading.boot_id == self.seen.boot_id;
        step_ms.unsigned_abs() <= STEP_TOLERANCE_MS && (same_boot || off <= LONGEST_OFF)
    }

    fn lower(&mut self, kernel: Timestamp) -> Option<ClockChange> {
        if self.mark.saturating_since(kernel) <= DAY {
            return None;
        }
        let from = std::mem::replace(&mut self.mark, kernel);
        self.lead = None;
        Some(ClockChange::Lowered { from, to: kernel })
    }

    /// Adopts a wall ahead of the mark, at once or after its probation.
    fn follow(
        &mut self,
        wall: Timestamp,
        uptime: Duration,
        lead_goes_on: bool,
        kernel_time: Option<Timestamp>,
    ) -> Option<ClockChange> {
        let lead = wall.saturating_since(self.mark);
        if lead <= DAY {
            self.mark = self.mark.max(wall);
            self.lead = None;
            return None;
        }
        let held_ms = match self.lead {
            Some(before) if lead_goes_on => before.held_ms.saturating_add(ms(uptime)),
            _ => 0,
        };
        let vouched = kernel_time.is_some_and(|kernel| is_vouched(wall, kernel));
        if vouched || Duration::from_millis(held_ms) >= DAY {
            self.mark = wall;
            self.lead = None;
            return Some(ClockChange::LeadAdopted { lead });
        }
        match self.lead.replace(Lead { held_ms }) {
            Some(_) if lead_goes_on => None,
            _ => Some(ClockChange::LeadSeen { lead }),
        }
    }
}

impl Now {
    /// A right clock at an instant: for tools that judge documents without a machine.
    pub const fn exactly(instant: Timestamp) -> Self {
        Self { instant, quota: instant, wall: instant, mark: instant, floor: Timestamp::MIN }
    }

    /// Whether the wall is more than 24 h behind the mark: it denies nothing, as it gains nothing.
    pub fn is_rolled_back(&self) -> bool {
        is_rolled_back(self.wall, self.mark)
    }

    /// Whether the wall is further ahead of the mark than is believed of it yet.
    pub fn is_on_probation(&self) -> bool {
        self.wall > self.quota
    }
}

/// The later of wall and mark, as far as it is believed: a day past the mark, or where quota time
/// has gone on to.
fn quota(wall: Timestamp, mark: Timestamp, gone_on: Timestamp) -> Timestamp {
    wall.max(mark).min(gone_on.max(mark + DAY))
}

fn is_rolled_back(wall: Timestamp, mark: Timestamp) -> bool {
    mark.saturating_since(wall) > DAY
}

fn is_vouched(time: Timestamp, kernel: Timestamp) -> bool {
    time.as_ms().abs_diff(kernel.as_ms()) <= KERNEL_AGREES_MS
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
