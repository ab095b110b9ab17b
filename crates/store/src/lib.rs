//! The agent's durable state: one SQLite database with one owner, and one second copy of the
//! documents beside it.
//!
//! [`Store`] belongs to one thread. Everything that changes goes through a [`Txn`]; what a
//! transaction stages (the chain's head, counters) becomes real when it commits and not before.
//! [`Reader`] is a read-only connection for other threads. Nothing here has a clock: callers
//! bring `now`.
#![forbid(unsafe_code)]
#![warn(clippy::print_stderr, clippy::print_stdout, reason = "a library has no terminal")]

mod documents;
mod error;
mod migrate;
mod reader;
mod second_copy;
mod store;
mod txn;

pub use error::StoreError;
pub use reader::{DeadLetter, KeptRecord, QueueFigures, Reader};
pub use second_copy::{SECOND_COPY, read_second_copy, write_second_copy};
pub use store::{Birth, DATABASE, Opened, Store};
pub use txn::{Appended, Body, IdempotentAnswer, RuntimeRow, StoredAnswer, TokenRow, Txn};
