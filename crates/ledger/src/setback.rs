//! Setback: where the dates of a ledger go back.

use farhold_contract::Timestamp;

use crate::limits::LIMITS;

/// An entry dated before the one that it follows, by more than clocks of several desks are apart:
/// a clock was wrong, or somebody gave one of the two another date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setback {
    /// The entry.
    pub seq: u64,
    /// When it says that it was written.
    pub at: Timestamp,
    /// When the entry before it says so.
    pub before: Timestamp,
}

impl Setback {
    /// Whether an entry goes back behind the one before it.
    pub(crate) fn between(before: Timestamp, seq: u64, at: Timestamp) -> Option<Self> {
        let behind = before.saturating_since(at);
        (behind > LIMITS.clocks_apart).then_some(Self { seq, at, before })
    }
}
