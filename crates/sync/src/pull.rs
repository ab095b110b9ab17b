//! Pull: when the bundle is pulled (contract v0.2 §8.3).

use farhold_contract::Sha256Digest;

use crate::{
    jitter::Jitter, limits::LIMITS, moment::Moment, timing::Timing, turn::Turn, verdict::Verdict,
};

/// What the pull asks of its shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullEffect {
    /// Pull, and answer with [`Pull::handle_answer`].
    Pull {
        /// For `If-None-Match`: the bundle imported last.
        etag: Option<Sha256Digest>,
    },
}

/// What a pull came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullAnswer {
    /// The bundle came and stands, whether or not it brought anything new.
    Imported {
        /// The SHA-256 of its bytes.
        digest: Sha256Digest,
    },
    /// The bundle came, and the import refused it.
    Refused {
        /// The SHA-256 of its bytes.
        digest: Sha256Digest,
    },
    /// No bundle came.
    Failed(Verdict),
}

/// Follows the digest that heartbeats name.
#[derive(Debug)]
pub struct Pull {
    turn: Turn,
    last: Option<Sha256Digest>,
    wanted: Option<Sha256Digest>,
    refused: Option<(Sha256Digest, Moment)>,
}

impl Pull {
    /// At the start of a run; `last` is the digest of the bundle pulled and imported last.
    pub fn new(timing: Timing, jitter: Jitter, last: Option<Sha256Digest>) -> Self {
        Self { turn: Turn::new(timing, jitter), last, wanted: None, refused: None }
    }

    /// A heartbeat was accepted; `digest` is the bundle to stand at, if one is made.
    pub fn handle_heartbeat(&mut self, digest: Option<Sha256Digest>) {
        self.turn.restored();
        self.wanted = digest;
    }

    /// Takes what the pull in flight came to.
    pub fn handle_answer(&mut self, answer: PullAnswer, now: Moment) {
        let verdict = match answer {
            PullAnswer::Imported { .. } | PullAnswer::Refused { .. } => Verdict::Done,
            PullAnswer::Failed(verdict) => verdict,
        };
        if !self.turn.end(verdict, now) {
            return;
        }
        match answer {
            PullAnswer::Imported { digest } => {
                self.last = Some(digest);
                self.refused = None;
                // Where the Kernel gives another than it named, its next heartbeat says more.
                self.wanted = None;
            }
            PullAnswer::Refused { digest } => {
                self.refused = Some((digest, now));
                if self.wanted != Some(digest) {
                    self.wanted = None;
                }
            }
            PullAnswer::Failed(Verdict::NotModified) => self.wanted = None,
            PullAnswer::Failed(_) => {}
        }
    }

    /// What was refused may hold now: a new certificate, or a root installed by hand.
    pub fn handle_changed(&mut self) {
        self.turn.changed();
        self.refused = None;
    }

    /// What is to be done now.
    pub fn poll_effect(&mut self, now: Moment) -> Option<PullEffect> {
        let due = self.due().is_some_and(|due| due <= now);
        (due && self.turn.begin(now)).then_some(PullEffect::Pull { etag: self.last })
    }

    /// When to look again; `None` while a pull is in flight or there is nothing to pull.
    pub fn poll_timeout(&self) -> Option<Moment> {
        Some(self.turn.earliest()?.max(self.due()?))
    }

    /// The digest of the bundle pulled and imported last: the report names it.
    pub const fn last(&self) -> Option<Sha256Digest> {
        self.last
    }

    /// The bundle that the import refused, while it stays refused.
    pub fn refused(&self) -> Option<Sha256Digest> {
        self.refused.map(|(digest, _)| digest)
    }

    fn due(&self) -> Option<Moment> {
        let wanted = self.wanted.filter(|wanted| self.last != Some(*wanted))?;
        Some(match self.refused {
            Some((refused, at)) if refused == wanted => at + LIMITS.refused_pause,
            _ => Moment::BOOT,
        })
    }
}
