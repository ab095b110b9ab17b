//! Backoff: how long to wait after a failure.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::{jitter::Jitter, limits::LIMITS, timing::Timing, verdict::Verdict};

/// Full jitter under a ceiling that doubles from 1 s to the cap, drawn after the cap, so that
/// long outages don't gather sites at one interval.
#[derive(Debug)]
pub struct Backoff {
    timing: Timing,
    jitter: Jitter,
    ceilings: <ExponentialBuilder as BackoffBuilder>::Backoff,
    linked: bool,
    refusals: u32,
}

impl Backoff {
    /// Before the first failure.
    pub fn new(timing: Timing, jitter: Jitter) -> Self {
        Self { timing, jitter, ceilings: ceilings(timing), linked: false, refusals: 0 }
    }

    /// How long to wait before the call that came to `verdict` is made again; nothing after a
    /// success, or where the call itself can be mended at once.
    pub fn wait(&mut self, verdict: Verdict) -> Duration {
        match verdict {
            Verdict::Done | Verdict::NotModified | Verdict::Gap | Verdict::SplitSmaller => {
                self.reset();
                self.linked = true;
                Duration::ZERO
            }
            Verdict::Unreachable | Verdict::RetryLater => {
                let ceiling = self.ceiling();
                // The first after a loss: whoever shares the Kernel has lost it at this moment.
                let lost = std::mem::take(&mut self.linked);
                let spread = if lost { self.timing.reconnect_spread } else { Duration::ZERO };
                self.jitter.up_to(ceiling.max(spread))
            }
            Verdict::RetryAfter(wished) => {
                // A floor, and a spread that fits it: the others were told the same.
                let spread = self.ceiling().max(wished / 2);
                wished + self.jitter.up_to(spread)
            }
            Verdict::AuthRejected | Verdict::Renew => {
                self.refusals = self.refusals.saturating_add(1);
                let ceiling = self.ceiling();
                if self.is_rejected() { self.refused_pause() } else { self.jitter.up_to(ceiling) }
            }
            Verdict::RefusedForGood => self.refused_pause(),
        }
    }

    /// Begins anew, as after a success.
    pub fn reset(&mut self) {
        self.ceilings = ceilings(self.timing);
        self.refusals = 0;
    }

    /// Whether the Kernel has refused who we are so often that only an hourly question remains.
    /// A failure of the network in between neither counts nor takes it back.
    pub const fn is_rejected(&self) -> bool {
        self.refusals >= LIMITS.refusals
    }

    pub(crate) const fn jitter(&mut self) -> &mut Jitter {
        &mut self.jitter
    }

    fn ceiling(&mut self) -> Duration {
        self.ceilings.next().unwrap_or(self.timing.backoff_cap)
    }

    fn refused_pause(&mut self) -> Duration {
        self.jitter.around(LIMITS.refused_pause, 10)
    }
}

/// `backon` draws its own jitter under the cap and from its own generator: only its ceilings are
/// used, and a seed keeps it from the system's randomness.
fn ceilings(timing: Timing) -> <ExponentialBuilder as BackoffBuilder>::Backoff {
    ExponentialBuilder::new()
        .with_factor(2.0)
        .with_min_delay(LIMITS.backoff_first.min(timing.backoff_cap))
        .with_max_delay(timing.backoff_cap)
        .without_max_times()
        .with_jitter_seed(0)
        .build()
}
