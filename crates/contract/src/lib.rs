//! The words of the Kernel Contract.
//!
//! Models, identifiers, header names, problem codes, conditions, and the body of every call,
//! exactly as `specs/contract/` states them. This crate holds no behavior beyond reading and
//! writing those words: everything else in the workspace speaks through it.
#![forbid(unsafe_code)]

pub mod alert;
mod asks;
pub mod call;
pub mod code;
pub mod condition;
pub mod date;
pub mod digest;
pub mod exit;
pub mod header;
pub mod id;
pub mod mode;
pub mod model;
pub mod problem;
pub mod time;
pub mod version;

pub use alert::AlertCode;
pub use asks::Asks;
pub use code::Code;
pub use date::Date;
pub use digest::Sha256Digest;
pub use problem::Problem;
pub use time::Timestamp;
