//! Turn: one call at a time, and none before its time.

use crate::{backoff::Backoff, jitter::Jitter, moment::Moment, timing::Timing, verdict::Verdict};

/// What every machine that calls has in common.
#[derive(Debug)]
pub(crate) struct Turn {
    backoff: Backoff,
    phase: Phase,
    /// A wait after a refusal was cut short since the last success.
    pardoned: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Waiting { until: Moment, after: Verdict },
    InFlight,
}

impl Turn {
    pub(crate) fn new(timing: Timing, jitter: Jitter) -> Self {
        Self { backoff: Backoff::new(timing, jitter), phase: Phase::Open, pardoned: false }
    }

    /// Takes the turn, if it is free by now.
    pub(crate) fn begin(&mut self, now: Moment) -> bool {
        let free = self.earliest().is_some_and(|earliest| earliest <= now);
        if free {
            self.phase = Phase::InFlight;
        }
        free
    }

    /// Gives it back with what the call came to; false, and nothing happens, if none was out.
    pub(crate) fn end(&mut self, verdict: Verdict, now: Moment) -> bool {
        if self.phase != Phase::InFlight {
            return false;
        }
        let wait = self.backoff.wait(verdict);
        self.phase = if verdict.is_transient() || !wait.is_zero() {
            Phase::Waiting { until: now + wait, after: verdict }
        } else {
            self.pardoned = false;
            Phase::Open
        };
        true
    }

    /// Closes a turn that was given back open: what came after it showed that it is for good.
    pub(crate) fn hold(&mut self, verdict: Verdict, now: Moment) {
        if self.phase == Phase::Open {
            self.phase = Phase::Waiting { until: now + self.backoff.wait(verdict), after: verdict };
        }
    }

    /// Ends any wait: what was refused may hold now.
    pub(crate) fn changed(&mut self) {
        self.backoff.reset();
        if self.phase != Phase::InFlight {
            self.phase = Phase::Open;
        }
    }

    /// Ends the wait of a lost link: the Kernel was heard by another call. One after a refusal
    /// ends too, but once: who was accepted there and is refused here again asks hourly.
    pub(crate) fn restored(&mut self) {
        let Phase::Waiting { after, .. } = self.phase else { return };
        match after {
            Verdict::Unreachable => self.phase = Phase::Open,
            Verdict::AuthRejected | Verdict::Renew if !self.pardoned => {
                self.pardoned = true;
                self.phase = Phase::Open;
            }
            _ => {}
        }
    }

    /// When the turn may be taken; `None` while a call is in flight.
    pub(crate) const fn earliest(&self) -> Option<Moment> {
        match self.phase {
            Phase::Open => Some(Moment::BOOT),
            Phase::Waiting { until, .. } => Some(until),
            Phase::InFlight => None,
        }
    }

    pub(crate) const fn is_rejected(&self) -> bool {
        self.backoff.is_rejected()
    }

    pub(crate) const fn jitter(&mut self) -> &mut Jitter {
        self.backoff.jitter()
    }
}
