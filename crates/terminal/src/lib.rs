//! The terminal edge of a binary: what a verb prints, and how it ends.
//!
//! A binary is a [`Program`]: its command line, what it does, which codes its own errors have.
//! [`main`] runs it. Data goes to standard output, and quietly nowhere once its reader has left.
//! What failed is told once: two lines for people on standard error, what happened and what to do,
//! or one JSON object for programs on standard output; and an exit code by the code of the closed
//! list.
//!
//! It knows no agent, no Kernel and no way to either.
#![forbid(unsafe_code)]
#![warn(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "they panic where nothing can be written: `stdout`, `stderr`"
)]

pub mod argument;
mod chain;
mod failure;
pub mod input;
pub mod log;
pub mod output;
mod program;
pub mod qr;
pub mod stderr;
pub mod stdout;
mod sure;
pub mod text;
mod told;
mod usage;
pub mod version;

pub use chain::error_chain;
pub use failure::Failure;
pub use program::{Program, main};
pub use sure::require_sure;
pub use told::{AlreadyTold, Known, Told};
pub use usage::{Unparsed, asks_for_json};
