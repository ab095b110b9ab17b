//! Renewal: when the agent's certificate is renewed (contract v0.2 §8.2).

use std::time::Duration;

use farhold_contract::Timestamp;

use crate::{
    jitter::Jitter, limits::LIMITS, moment::Moment, timing::Timing, turn::Turn, verdict::Verdict,
};

/// The life of a certificate, by its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Its `notBefore`.
    pub not_before: Timestamp,
    /// Its `notAfter`.
    pub not_after: Timestamp,
}

/// What the connection for a renewal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The present certificate.
    Certificate,
    /// None: it has ended, or was rejected.
    Nothing,
}

/// What the renewal asks of its shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewalEffect {
    /// Renew, and answer with [`Renewal::handle_renewed`] or [`Renewal::handle_failed`].
    Renew(Presented),
}

/// When to renew: at 2/3 of the certificate's life, give or take a tenth; at once when it has
/// ended or was rejected.
///
/// The wall clock only says how old a certificate from an earlier run is. The age of one that
/// came in this run is counted since boot, so that no wrong clock makes it renewed in a circle,
/// and no certificate is held back for what the clock says of it.
#[derive(Debug)]
pub struct Renewal {
    turn: Turn,
    validity: Validity,
    after: Duration,
    renewed_at: Option<Moment>,
    due: Moment,
    presented: Presented,
}

impl Renewal {
    /// With the certificate that the state holds.
    pub fn new(
        timing: Timing,
        jitter: Jitter,
        validity: Validity,
        wall: Timestamp,
        now: Moment,
    ) -> Self {
        let mut renewal = Self {
            turn: Turn::new(timing, jitter),
            validity,
            after: Duration::ZERO,
            renewed_at: None,
            due: now,
            presented: Presented::Certificate,
        };
        renewal.after = renewal.draw_age();
        renewal.handle_wall(wall, now);
        renewal
    }

    /// The wall clock was read, at a start or after it was set.
    pub fn handle_wall(&mut self, wall: Timestamp, now: Moment) {
        if self.renewed_at.is_some() {
            return;
        }
        // A wall before its beginning is wrong: the certificate is at least as old as that.
        let age = wall.saturating_since(self.validity.not_before);
        self.due = now + self.after.saturating_sub(age);
        self.presented = if wall > self.validity.not_after {
            Presented::Nothing
        } else {
            Presented::Certificate
        };
    }

    /// A call was refused for the certificate: [`Verdict::Renew`].
    pub fn handle_rejected(&mut self, now: Moment) {
        let at = self.renewed_at.map_or(now, |renewed| (renewed + LIMITS.renew_again).max(now));
        self.due = self.due.min(at);
        if at <= now {
            self.presented = Presented::Nothing;
        }
    }

    /// A new certificate is committed.
    pub fn handle_renewed(&mut self, validity: Validity, now: Moment) {
        self.turn.end(Verdict::Done, now);
        self.validity = validity;
        self.after = self.draw_age();
        self.renewed_at = Some(now);
        self.due = now + self.after.max(LIMITS.renew_min);
        self.presented = Presented::Certificate;
    }

    /// The renewal in flight failed.
    pub fn handle_failed(&mut self, verdict: Verdict, now: Moment) {
        if !self.turn.end(verdict, now) {
            return;
        }
        if matches!(verdict, Verdict::Renew | Verdict::AuthRejected) {
            self.presented = match self.presented {
                Presented::Certificate => Presented::Nothing,
                Presented::Nothing => Presented::Certificate,
            };
        }
    }

    /// What was refused may hold now: a renewal that is due is tried at once.
    pub fn handle_changed(&mut self) {
        self.turn.changed();
    }

    /// The Kernel was heard by another call.
    pub fn handle_restored(&mut self) {
        self.turn.restored();
    }

    /// What is to be done now.
    pub fn poll_effect(&mut self, now: Moment) -> Option<RenewalEffect> {
        (self.due <= now && self.turn.begin(now)).then_some(RenewalEffect::Renew(self.presented))
    }

    /// When to look again; `None` while a renewal is in flight.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.turn.earliest().map(|earliest| earliest.max(self.due))
    }

    /// The age at which this certificate is renewed: drawn once for each.
    fn draw_age(&mut self) -> Duration {
        let life = self.validity.not_after.saturating_since(self.validity.not_before);
        self.turn.jitter().around(life / 3 * 2, 10)
    }
}
