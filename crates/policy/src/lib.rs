//! The calculator of decisions: documents, runtimes, suspensions, usage and now in, a decision out.
//!
//! [`PolicyState`] is made once from the verified documents that stand and never changes. A
//! [`Question`] resolves against it to a [`Resolution`]; a [`Grant`] then weighs what has been
//! used, so that whoever owns the counters decides and counts in one step. [`ClockState`] says
//! what time it is when the machine's clock may lie. Nothing here reads a clock, a disk or a
//! network: the same input has the same answer. The rules are `specs/bundle.md` §4–5 and the
//! contract's "mode"; comments cite their steps.
#![forbid(unsafe_code)]

mod clock;
mod conditions;
mod counter;
mod decision;
mod grant;
mod ladder;
mod line;
mod question;
mod register;
mod standing_license;
mod state;
mod view;
mod window;

pub use clock::{ClockChange, ClockReading, ClockState, Now};
pub use counter::{Counter, CounterKey, CounterScope, Metered};
pub use decision::{Decision, Refused, Resolution};
pub use grant::{AuditDuties, Grant};
pub use ladder::{Phase, Timeline};
pub use question::{Link, Question, Restraints, RuntimeFacts};
pub use state::PolicyState;
pub use view::{LicenseView, LineView};
pub use window::Window;
