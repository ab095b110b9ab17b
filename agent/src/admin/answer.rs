//! What the admin door answers: the words between the running agent and its own verbs.

mod audit;
pub mod changes;
mod dead_letters;
pub mod decision;
mod enroll;
pub mod fingerprint;
mod import;
mod licenses;
mod link;
mod queue;
pub mod request;
mod status;
pub mod timeline;
mod tokens;
mod trust;
pub mod what_if;

pub use audit::{AuditTailAnswer, AuditVerifyAnswer};
pub use dead_letters::{DeadLetterAnswer, DeadLettersAnswer};
pub use enroll::EnrollAnswer;
pub use import::{ImportAnswer, LineAnswer};
pub use licenses::{BoundToAnswer, LicenseAnswer, LicensesAnswer};
pub use link::LinkAnswer;
pub use queue::QueueAnswer;
pub use status::{ClockAnswer, StatusAnswer};
pub use tokens::{TokenAnswer, TokenCreated, TokenRequest, TokensAnswer};
pub use trust::TrustAnswer;
