//! The vendor's side: keys, roots, licenses, receipts.
//!
//! What the verbs do is here as functions of bytes, keys and a time; [`cli`] is the edge that
//! knows the terminal, the clock, and the exit codes.
#![forbid(unsafe_code)]

pub mod assemble;
pub mod cli;
pub mod export;
pub mod file;
pub mod inspect;
pub mod issue;
pub mod receipt;
pub mod refusal;
pub mod root;
pub mod template;
pub mod verify;
