//! The same rules a second time, as naively as they can be said: linear searches, one day after
//! the other, predicates instead of instants. Slow, and written without looking at the crate.

mod chance;
mod machine;
mod policy;
mod windows;

pub use chance::Chance;
pub use machine::Machine;
pub use policy::{Answer, answer};
pub use windows::{Ledger, local_day_bounds, month_turns, turns};
