//! A machine with a true time, a clock that anyone may set, and an agent that may be killed.

use std::time::Duration;

use farhold_contract::Timestamp;
use farhold_policy::{ClockChange, ClockReading, ClockState, Now};

/// One machine with one agent.
pub struct Machine {
    true_ms: i64,
    /// What the wall shows beyond the truth.
    error_ms: i64,
    boot_began_ms: i64,
    boot: u64,
    first_wall: Timestamp,
    running_ms: i64,
    agent: ClockState,
    /// What a new process finds.
    saved: String,
    changes: Vec<ClockChange>,
}

impl Machine {
    /// A machine that starts at a true time with a wall that is wrong by so much.
    pub fn start(truth: Timestamp, error_ms: i64) -> Self {
        let wall = Timestamp::from_ms(truth.as_ms() + error_ms);
        let reading = ClockReading { wall, boottime_ms: 0, boot_id: [0; 16] };
        let mut machine = Self {
            true_ms: truth.as_ms(),
            error_ms,
            boot_began_ms: truth.as_ms(),
            boot: 0,
            first_wall: wall,
            running_ms: 0,
            agent: ClockState::start(&reading),
            saved: String::new(),
            changes: Vec::new(),
        };
        machine.save();
        machine
    }

    /// Runs for a while, suspended or not; the agent looks at its clocks in steps, and saves.
    pub fn run(&mut self, time: Duration, step: Duration) {
        let mut rest = ms(time);
        while rest > 0 {
            let slice = rest.min(ms(step).max(1));
            self.advance(slice);
            self.observe(None);
            self.save();
            rest -= slice;
        }
    }

    /// Runs without saving what the agent sees: at most the 60 s between two writes.
    pub fn run_unsaved(&mut self, time: Duration) {
        self.advance(ms(time));
        self.observe(None);
    }

    /// Sets the wall to be wrong by so much.
    pub fn set_error_ms(&mut self, error_ms: i64) {
        self.error_ms = error_ms;
        self.observe(None);
    }

    /// Kills the agent, waits while the machine runs, starts it again.
    pub fn restart_agent(&mut self, down: Duration) {
        self.advance(ms(down));
        self.start_agent();
    }

    /// Cuts the power for a while; the wall comes back wrong by so much.
    pub fn reboot(&mut self, off: Duration, error_ms: i64) {
        self.true_ms += ms(off);
        self.error_ms = error_ms;
        self.boot += 1;
        self.boot_began_ms = self.true_ms;
        self.start_agent();
    }

    /// The Kernel says what time it is.
    pub fn hear_kernel(&mut self) {
        self.observe(Some(self.truth()));
    }

    /// A clock reset is imported.
    pub fn reset(&mut self, time: Timestamp) {
        self.agent.reset_to(time, &self.reading());
        self.save();
    }

    /// Someone starts the agent on a state whose mark is gone.
    pub fn lose_the_mark(&mut self) {
        self.agent = ClockState::start(&self.reading());
        self.save();
    }

    /// The agent's clock and what the machine's clocks show.
    pub fn clocks(&self) -> (&ClockState, ClockReading) {
        (&self.agent, self.reading())
    }

    pub fn now(&self, floor: Timestamp) -> Now {
        self.agent.now(&self.reading(), floor)
    }

    pub fn truth(&self) -> Timestamp {
        Timestamp::from_ms(self.true_ms)
    }

    pub fn error_ms(&self) -> i64 {
        self.error_ms
    }

    /// The first wall ever seen, and the time the machine has run since.
    pub fn first_wall_and_running(&self) -> Timestamp {
        Timestamp::from_ms(self.first_wall.as_ms() + self.running_ms)
    }

    /// Boots after the first.
    pub fn reboots(&self) -> u64 {
        self.boot
    }

    pub fn mark(&self) -> Timestamp {
        self.agent.mark()
    }

    /// What the agent noticed since it was last asked, without the nothings.
    pub fn noticed(&mut self) -> Vec<ClockChange> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.retain(|change| *change != ClockChange::Nothing);
        changes
    }

    fn reading(&self) -> ClockReading {
        let mut boot_id = [0; 16];
        boot_id[8..].copy_from_slice(&self.boot.to_be_bytes());
        ClockReading {
            wall: Timestamp::from_ms(self.true_ms + self.error_ms),
            boottime_ms: (self.true_ms - self.boot_began_ms).try_into().unwrap(),
            boot_id,
        }
    }

    fn advance(&mut self, ms: i64) {
        self.true_ms += ms;
        self.running_ms += ms;
    }

    fn observe(&mut self, kernel_time: Option<Timestamp>) {
        let change = self.agent.observe(&self.reading(), kernel_time);
        self.changes.push(change);
    }

    /// The agent writes its clock.
    pub fn save(&mut self) {
        self.saved = serde_json::to_string(&self.agent).unwrap();
    }

    /// A new process finds what was saved, looks at its clocks, and saves.
    fn start_agent(&mut self) {
        self.agent = serde_json::from_str(&self.saved).unwrap();
        self.observe(None);
        self.save();
    }
}

fn ms(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap()
}
