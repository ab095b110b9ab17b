//! Pace: when the next heartbeat is due (contract v0.2 §7).

use std::time::Duration;

use crate::{
    jitter::Jitter, limits::LIMITS, moment::Moment, timing::Timing, turn::Turn, verdict::Verdict,
};

/// What the pace asks of its shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaceEffect {
    /// Send a heartbeat, and answer with [`Pace::handle_answer`].
    Heartbeat,
}

/// The rhythm of heartbeats: every `poll_after`, give or take half of it, one at a time.
#[derive(Debug)]
pub struct Pace {
    turn: Turn,
    poll_after: Duration,
    due: Moment,
}

impl Pace {
    /// At the start of a run: the first heartbeat comes within `start_spread`.
    pub fn new(timing: Timing, mut jitter: Jitter, now: Moment) -> Self {
        let due = now + jitter.up_to(timing.start_spread);
        Self { turn: Turn::new(timing, jitter), poll_after: bounded(timing.poll_after), due }
    }

    /// Takes what the heartbeat in flight came to; `poll_after` is the seconds that the answer
    /// names, if it is one.
    pub fn handle_answer(&mut self, verdict: Verdict, poll_after: Option<u32>, now: Moment) {
        if !self.turn.end(verdict, now) {
            return;
        }
        if verdict.is_success() {
            if let Some(seconds) = poll_after {
                self.poll_after = bounded(Duration::from_secs(seconds.into()));
            }
            self.due = now + self.turn.jitter().around(self.poll_after, 50);
        } else {
            self.due = now;
        }
    }

    /// There is something worth telling now: a wait for the next poll ends, one after a failure
    /// does not.
    pub fn handle_wanted(&mut self, now: Moment) {
        self.due = self.due.min(now);
    }

    /// What was refused may hold now: the next heartbeat is due at once.
    pub fn handle_changed(&mut self, now: Moment) {
        self.turn.changed();
        self.due = self.due.min(now);
    }

    /// What is to be done now.
    pub fn poll_effect(&mut self, now: Moment) -> Option<PaceEffect> {
        (self.due <= now && self.turn.begin(now)).then_some(PaceEffect::Heartbeat)
    }

    /// When to look again; `None` while a heartbeat is in flight.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.turn.earliest().map(|earliest| earliest.max(self.due))
    }

    /// The interval in force: [`crate::Freshness`] counts by it.
    pub const fn poll_after(&self) -> Duration {
        self.poll_after
    }

    /// Whether the Kernel has refused this agent six times in a row: it is asked hourly now.
    pub const fn is_rejected(&self) -> bool {
        self.turn.is_rejected()
    }
}

fn bounded(poll_after: Duration) -> Duration {
    poll_after.clamp(LIMITS.poll_after_min, LIMITS.poll_after_max)
}
