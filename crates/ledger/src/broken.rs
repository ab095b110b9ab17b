//! Broken: why lines are not a whole ledger.

use farhold_contract::Code;

/// Why a ledger does not hold (`specs/ledger.md` §2). Lines are counted from 1, in what was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The last line has no line feed: whoever wrote it was interrupted.
    #[error("line {line} is torn: {bytes} bytes without a line feed at the end")]
    Torn {
        /// The line.
        line: u64,
        /// How many bytes there are of it.
        bytes: usize,
    },
    /// A line is not an entry.
    #[error("line {line} is not an entry: {why}")]
    Malformed {
        /// The line.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// A line's own hash is not its hash.
    #[error("line {line} was changed: its hash is not that of its content")]
    Changed {
        /// The line.
        line: u64,
    },
    /// A line does not follow the one before it.
    #[error("line {line} is entry {found}, where entry {expected} must follow")]
    Order {
        /// The line.
        line: u64,
        /// The number that it has.
        found: u64,
        /// The number that must follow.
        expected: u64,
    },
    /// A line follows another entry than the one before it.
    #[error("line {line} does not follow the entry before it: that one was changed or exchanged")]
    Unchained {
        /// The line.
        line: u64,
    },
    /// The ledger does not begin as a ledger does.
    #[error("line {line}: a ledger begins with one entry `begun`, and has no other")]
    Beginning {
        /// The line.
        line: u64,
    },
}

impl Broken {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        Code::LedgerBroken
    }

    /// Whether only the end is missing of what was being written: it can be repaired.
    pub const fn is_torn(&self) -> bool {
        matches!(self, Self::Torn { .. })
    }

    /// The line, from 1.
    pub const fn line(&self) -> u64 {
        match self {
            Self::Torn { line, .. }
            | Self::Malformed { line, .. }
            | Self::Changed { line }
            | Self::Order { line, .. }
            | Self::Unchained { line }
            | Self::Beginning { line } => *line,
        }
    }
}
