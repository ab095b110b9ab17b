//! Supposed clock: what the agent's time would be if this happened to the machine.

use std::time::Duration;

use farhold_contract::Timestamp;

use crate::clock::{ClockChange, ClockReading, ClockState, Now, WallStanding};

const MINUTE: Duration = Duration::from_mins(1);

/// A lead waits for a day of uptime and nothing waits longer: for so long after a change the
/// clocks are looked at every minute, as the agent does.
const WATCHED: Duration = Duration::from_hours(25);

/// A machine and its agent in a future that is only supposed.
///
/// It has no rule of its own: it makes the readings and lets a [`ClockState`] observe them.
#[derive(Debug, Clone)]
pub struct SupposedClock {
    clock: ClockState,
    reading: ClockReading,
    /// Uptime since the clocks last did something other than go on.
    settled: Duration,
    changes: Vec<(Timestamp, ClockChange)>,
}

impl SupposedClock {
    /// The machine as it is: the agent's clock, and a reading taken now.
    pub fn new(clock: &ClockState, reading: &ClockReading) -> Self {
        let (clock, reading) = (clock.clone(), *reading);
        let mut supposed = Self { clock, reading, settled: Duration::ZERO, changes: Vec::new() };
        supposed.observe(None);
        // What it notices of the present is known already.
        supposed.changes.clear();
        supposed
    }

    /// The machine runs, or is suspended, for a while; the agent runs with it.
    pub fn run(&mut self, time: Duration) {
        let mut rest = time;
        while !rest.is_zero() {
            let step = if self.settled < WATCHED { rest.min(MINUTE) } else { rest };
            self.settled = self.settled.saturating_add(step);
            self.reading.wall = self.reading.wall + step;
            let step_ms = u64::try_from(step.as_millis()).unwrap_or(u64::MAX);
            self.reading.boottime_ms = self.reading.boottime_ms.saturating_add(step_ms);
            self.observe(None);
            rest -= step;
        }
    }

    /// The machine runs until a date is there by the later of wall and mark; says for how long.
    /// Zero: it is that late already.
    pub fn run_until(&mut self, date: Timestamp) -> Duration {
        let time = date.saturating_since(self.reading.wall.max(self.clock.mark()));
        self.run(time);
        time
    }

    /// Someone sets the wall.
    pub fn set_wall(&mut self, to: Timestamp) {
        self.reading.wall = to;
        self.disturbed(None);
    }

    /// Someone sets the wall back.
    pub fn set_back(&mut self, by: Duration) {
        self.set_wall(self.reading.wall - by);
    }

    /// Someone sets the wall ahead.
    pub fn set_ahead(&mut self, by: Duration) {
        self.set_wall(self.reading.wall + by);
    }

    /// The machine is off for a while and boots again; its wall has gone on.
    pub fn power_off(&mut self, time: Duration) {
        self.reading.wall = self.reading.wall + time;
        self.reading.boottime_ms = 0;
        // Any other id is another boot.
        self.reading.boot_id[0] = self.reading.boot_id[0].wrapping_add(1);
        self.disturbed(None);
    }

    /// The Kernel says what time it is.
    pub fn hear_kernel(&mut self, time: Timestamp) {
        self.disturbed(Some(time));
    }

    /// A clock reset is imported.
    pub fn reset(&mut self, time: Timestamp) {
        self.clock.reset_to(time, &self.reading);
        self.disturbed(None);
    }

    /// The time that decisions would be made at; `floor` as [`ClockState::now`] takes it.
    pub fn now(&self, floor: Timestamp) -> Now {
        self.clock.now(&self.reading, floor)
    }

    /// Where the system clock would stand; `floor` as [`ClockState::now`] takes it.
    pub fn wall_standing(&self, floor: Timestamp) -> WallStanding {
        self.clock.wall_standing(&self.reading, floor)
    }

    /// What the agent would notice, each at what its mark then is.
    pub fn changes(&self) -> &[(Timestamp, ClockChange)] {
        &self.changes
    }

    fn disturbed(&mut self, kernel_time: Option<Timestamp>) {
        self.settled = Duration::ZERO;
        self.observe(kernel_time);
    }

    fn observe(&mut self, kernel_time: Option<Timestamp>) {
        let change = self.clock.observe(&self.reading, kernel_time);
        if change != ClockChange::Nothing {
            self.changes.push((self.clock.mark(), change));
        }
    }
}
