//! A site in a test: a vendor, the real agent, and the products that speak to it.
//!
//! Tests read like a story:
//!
//! ```no_run
//! use farhold_tests::site::{Site, Vendor};
//! use farhold_contract::{Code, model::RuntimeType::Courses};
//!
//! let vendor = Vendor::new();
//! let license = vendor.license(|l| l.feature("export").quota(1).per("P1D"));
//! let mut site = Site::new(&vendor).trusting().holding(&license);
//! let courses = site.runtime(Courses).registered();
//! courses.check("export").consume(1).allowed().remaining(0);
//! site.killed().started();
//! courses.check("export").consume(1).denied(Code::QuotaExhausted);
//! ```
//!
//! Every exchange over HTTP is held against `specs/`; a site whose agent logged an error that its
//! test did not expect fails that test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod agent;
mod answer;
mod call;
mod check;
mod day;
mod desk;
mod document;
mod draft;
mod event;
pub mod machine;
mod place;
pub mod qr;
mod ran;
mod records;
mod runtime;
pub mod sleep;
mod vendor;
mod work;

pub use agent::{Agent, eventually};
pub(crate) use agent::{Start, log_lines, text_of};
pub use answer::Answered;
pub use call::{Call, ids};
pub use check::{Allowed, Check, Denied};
pub use day::{day, start_of};
pub use desk::{Answering, OldKey};
pub use document::Document;
pub use draft::LicenseDraft;
pub use event::EventDraft;
pub use place::{Plan, Site};
pub use ran::Ran;
pub use records::Records;
pub use runtime::Runtime;
pub use vendor::{TENANT, TENANT_B, Vendor};
