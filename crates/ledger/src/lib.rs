//! The issuance ledger: which licenses were signed, for whom and for which machine.
//!
//! A ledger is a file of lines, each an [`Entry`] that carries the hash of the one before it.
//! [`Chain`] reads it line by line and proves that nothing was changed, left out or put in
//! between; [`Ledger`] is what the whole amounts to: where each license stands, which serial
//! comes next, what contradicts what, and what is still missing. The format is `specs/ledger.md`;
//! comments cite its steps. Nothing here reads a clock or a disk: whoever appends makes the line
//! durable before the license leaves the house.
#![forbid(unsafe_code)]

mod act;
mod bound;
mod broken;
mod chain;
mod conflict;
mod contract;
mod csv;
mod entry;
mod issue;
mod ledger;
mod limits;
mod line;
mod product_line;
mod setback;

pub use act::{Act, Kind, Release};
pub use bound::{Bound, DeviceKey, DeviceKeyError, Move};
pub use broken::Broken;
pub use chain::{Chain, verify};
pub use conflict::Conflict;
pub use contract::{Contract, Rehost, Revision};
pub use csv::{csv_head, csv_row};
pub use entry::{Entry, Head};
pub use issue::Issue;
pub use ledger::Ledger;
pub use limits::{LIMITS, Limits};
pub use product_line::{Clash, Gap};
pub use setback::Setback;
