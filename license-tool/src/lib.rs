//! The vendor's side: keys, roots, licenses, receipts.
//!
//! What the verbs do is here as functions of bytes, keys and a time; [`cli`] is the edge that
//! knows the terminal, the clock, and the exit codes.
#![forbid(unsafe_code)]
#![warn(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "they panic where nothing can be written: `farhold_terminal` has stdout and stderr"
)]

pub mod answer;
pub mod assemble;
pub mod cli;
pub mod clock_reset;
pub mod contents;
pub mod dated;
pub mod diff;
pub mod draft;
pub mod drill;
pub mod export;
pub mod file;
pub mod inspect;
pub mod issue;
pub mod issued;
pub mod key;
pub mod ledger;
pub mod lint;
pub mod pkcs11;
pub mod progress;
pub mod receipt;
pub mod refusal;
pub mod revoke;
pub mod root;
pub mod simulate;
pub mod template;
pub mod threshold;
pub mod verify;
