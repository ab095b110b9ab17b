//! What to send to the Kernel next, when, and what its answer means.
//!
//! A calculator for the agent's uplink: no clock, no randomness, no disk, no network. Time comes
//! in as [`Moment`], chance as a seeded [`Jitter`], and what a call came to as an [`Outcome`],
//! which [`verdict`] translates by the one table of permanent and transient. Each concern of the
//! uplink is a machine of its own:
//!
//! | machine | says |
//! |---|---|
//! | [`Pace`] | when the next heartbeat is due |
//! | [`Freshness`] | whether the site is online, offline, or refused |
//! | [`Pull`] | when to pull the bundle |
//! | [`Push`] | which audit records to send next |
//! | [`Renewal`] | when to renew the certificate, and whether to show the present one |
//! | [`Registration`] | which runtime to register next |
//!
//! # The contract with the shell
//! 1. After every `handle_…`, and when `poll_timeout` has passed, call `poll_effect` until it is
//!    `None`. `poll_timeout` is `None` while only an input can bring the machine on.
//! 2. A machine has at most one call in flight. Each call it asks for is answered exactly once: a
//!    shell that gives up on one says [`Failure::TimedOut`]. An answer nobody waits for is
//!    harmless.
//! 3. Persist first: what an answer brought is committed before the machine is told.
//! 4. `handle_changed` says that what was refused may hold now (a new certificate, an import, an
//!    operator's word) and ends every wait. `handle_restored` says that the Kernel accepted
//!    another call of this agent's, and ends only the waits of a lost link, and once those of a
//!    refused agent; where a machine hears of heartbeats, they say it.
//! 5. `now` never goes back: it is the machine's time since boot.
//!
//! ```
//! use farhold_sync::{Call, Jitter, Moment, Outcome, Pace, PaceEffect, Timing, verdict};
//!
//! # fn send() -> (Outcome, u32) { (Outcome::answered(200), 60) }
//! let mut now = Moment::from_ms(5_000); // CLOCK_BOOTTIME
//! let mut pace = Pace::new(Timing::default(), Jitter::seeded(7), now);
//! for _ in 0..3 {
//!     now = pace.poll_timeout().expect("nothing is in flight").max(now); // sleep until then
//!     while let Some(PaceEffect::Heartbeat) = pace.poll_effect(now) {
//!         let (outcome, poll_after) = send(); // a failure is an outcome too
//!         pace.handle_answer(verdict(Call::Heartbeat, &outcome), Some(poll_after), now);
//!     }
//! }
//! ```
#![forbid(unsafe_code)]

mod backoff;
mod freshness;
mod jitter;
mod limits;
mod moment;
mod outcome;
mod pace;
mod pull;
mod push;
mod registration;
mod renewal;
mod retry_after;
mod timing;
mod turn;
mod verdict;

pub use backoff::Backoff;
pub use freshness::{Freshness, Link, LinkChange};
pub use jitter::Jitter;
pub use limits::{LIMITS, Limits};
pub use moment::Moment;
pub use outcome::{Call, Failure, Outcome};
pub use pace::{Pace, PaceEffect};
pub use pull::{Pull, PullAnswer, PullEffect};
pub use push::{Backlog, Push, PushAnswer, PushEffect, PushReport, Run};
pub use registration::{Registration, RegistrationEffect, Statement};
pub use renewal::{Presented, Renewal, RenewalEffect, Validity};
pub use retry_after::retry_after;
pub use timing::Timing;
pub use verdict::{Verdict, verdict};
