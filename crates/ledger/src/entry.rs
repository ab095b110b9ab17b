//! Entry: one line of the ledger, and where the chain stands after it.

use serde::{Deserialize, Serialize};

use farhold_contract::{Sha256Digest, Timestamp};

use crate::act::Act;

/// One line, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// The hash of the entry before it; zeros for the first.
    pub prev: Sha256Digest,
    /// When it was written.
    pub at: Timestamp,
    /// What was done.
    pub act: Act,
    /// Its own hash (`specs/ledger.md` §2).
    pub hash: Sha256Digest,
}

/// Where a ledger stands: its last entry. Whoever keeps one can prove later that nothing before
/// it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the last entry; 0 where there is none.
    pub seq: u64,
    /// Its hash; zeros where there is none.
    pub hash: Sha256Digest,
}

impl Head {
    /// Before the first entry.
    pub const START: Self = Self { seq: 0, hash: Sha256Digest::new([0; 32]) };
}

impl Entry {
    /// Where the ledger stands after it.
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }
}
