//! Conflict: why a license may not be entered as issued.

use farhold_bundle::Positive;
use farhold_contract::{Code, id::LicenseId};

/// Why an issue contradicts the ledger (`specs/ledger.md` §4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The serial was given to another license of the line.
    #[error("serial {serial} of this line was given to another license in entry {seq}")]
    Taken {
        /// The serial.
        serial: Positive,
        /// The entry that gave it.
        seq: u64,
    },
    /// The line has gone further: sites would take the license for an old one.
    #[error("serial {serial} is below {highest}, the highest of this line")]
    Lower {
        /// The serial.
        serial: Positive,
        /// The highest of the line.
        highest: Positive,
    },
    /// The contract is another organization's or another product's.
    #[error(
        "license {license_id} is another contract: it was issued for {product} of another line"
    )]
    OtherLine {
        /// The contract.
        license_id: LicenseId,
        /// The product that it was issued for.
        product: String,
    },
    /// Nobody could read the entry back.
    #[error("its entry would have {bytes} bytes, and a line of the ledger at most {most}")]
    TooLong {
        /// How many bytes its line would have.
        bytes: usize,
        /// How many a line has at most.
        most: usize,
    },
    /// Every serial is used.
    #[error("the line has no serial left")]
    NoSerialLeft,
    /// The ledger has not begun, or would begin twice.
    #[error("a ledger begins once, with its first entry")]
    Beginning,
}

impl Conflict {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        Code::LedgerConflict
    }
}
