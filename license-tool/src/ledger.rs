//! Ledger: the vendor's file of everything that was signed.
//!
//! What it holds and proves is `farhold_ledger`; here is its disk: who may write, in which order,
//! and what is left when the power goes. **The entry is durable before the license is written
//! anywhere.** An entry whose license was never written does no harm: running the same again
//! finds it, and writes that very license.

mod file;
mod load;
mod lock;
mod repair;
mod slip;

pub use file::{LedgerFile, begin};
pub use load::{read, visit};
pub use repair::{Repair, repair};
pub use slip::{Found, REASON_MAX_BYTES, Slip, open_entered, require_reason};
