//! The calculator of decisions: documents, runtimes, suspensions, usage and now in, a decision out.
//!
//! [`PolicyState`] is made once from the verified documents that stand and never changes. A
//! [`Question`] resolves against it to a [`Resolution`]; a [`Grant`] then weighs what has been
//! used, so that whoever owns the counters decides and counts in one step. [`ClockState`] says
//! what time it is when the machine's clock may lie. What people are shown of the future comes from
//! the same functions: [`PolicyState::milestones`], [`PolicyState::outlook`], [`Changes`], and for
//! supposed clocks [`SupposedClock`]. Nothing here reads a clock, a disk or a
//! network: the same input has the same answer. The rules are `specs/bundle.md` §4–5 and the
//! contract's "mode"; comments cite their steps.
#![forbid(unsafe_code)]

mod changes;
mod clock;
mod conditions;
mod counter;
mod decision;
mod denials;
mod flags;
mod grant;
mod granted;
mod ladder;
mod line;
mod milestone;
mod outlook;
mod question;
mod quotas;
mod register;
mod reign;
mod scope;
mod standing_license;
mod state;
mod supposed_clock;
mod view;
mod window;

pub use changes::{
    Changes, ContentChange, EntitlementChange, EntitlementTerms, FeatureChange, FlagChange,
    LaterChange, LineChange, LineStanding, Loss, LostLicense, PolicyAt, TermChange,
};
pub use clock::{ClockChange, ClockReading, ClockState, Now, WallStanding};
pub use counter::{Counter, CounterKey, CounterScope, Metered};
pub use decision::{Decision, Refused, Resolution};
pub use denials::{DenialKey, Denials};
pub use flags::FlagInForce;
pub use grant::{AuditDuties, Grant};
pub use ladder::{Phase, Timeline};
pub use milestone::{Milestone, Step};
pub use outlook::{EntitlementOutlook, LicenseOutlook, LineOutlook, Verdict};
pub use question::{Link, Question, Restraints, RuntimeFacts};
pub use quotas::QuotaInForce;
pub use scope::{EntitlementLimits, Scope};
pub use state::PolicyState;
pub use supposed_clock::SupposedClock;
pub use view::{LicenseView, LineView};
pub use window::Window;
