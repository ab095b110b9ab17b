//! Receipt: whether one speaks of this agent's history, and making one (`bundle.md` §6).

use farhold_bundle::{KeyId, Positive, PublicKey, payload::Receipt};
use farhold_contract::{Code, Timestamp};

use crate::{
    chain::{ChainPosition, Epoch, Head},
    record::Withheld,
    verify::ExportSummary,
};

/// Why a genuine receipt does not apply here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptRefusal {
    /// It is for another agent.
    #[error("the receipt is for the agent with key {key}")]
    OtherDevice {
        /// The id of the key it names.
        key: KeyId,
    },
    /// It is for another epoch of this agent.
    #[error("the receipt is for epoch {epoch}")]
    OtherEpoch {
        /// The epoch it names.
        epoch: String,
    },
    /// It is for another history.
    #[error("the receipt has another head than this agent after record {seq}")]
    Branch {
        /// The record it names.
        seq: u64,
    },
}

impl ReceiptRefusal {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::OtherDevice { .. } | Self::OtherEpoch { .. } => Code::ReceiptForeign,
            Self::Branch { .. } => Code::ReceiptBranch,
        }
    }
}

/// Whether a receipt speaks of this agent's history.
///
/// `head_at_seq` is the agent's own head after the record that the receipt names; `None` if it
/// has no such record, which is a branch too: someone holds what this agent does not know.
///
/// # Errors
/// [`ReceiptRefusal`] says of whose it speaks instead.
pub fn applies(
    receipt: &Receipt,
    device_key: &PublicKey,
    epoch: &Epoch,
    head_at_seq: Option<Head>,
) -> Result<(), ReceiptRefusal> {
    if receipt.device_key != *device_key {
        return Err(ReceiptRefusal::OtherDevice { key: receipt.device_key.id() });
    }
    if receipt.epoch.parse() != Ok(*epoch) {
        return Err(ReceiptRefusal::OtherEpoch { epoch: receipt.epoch.clone() });
    }
    if head_at_seq != Some(receipt.head.into()) {
        return Err(ReceiptRefusal::Branch { seq: receipt.seq.as_u64() });
    }
    Ok(())
}

/// Why an export is not answered by a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptWithheld {
    /// It has no record.
    #[error("the export has no record")]
    Empty,
    /// It begins later than what is held ends.
    #[error("the export begins after record {before}, whose head is not held here")]
    Gap {
        /// The record before its first.
        before: u64,
    },
    /// It leaves out events that the site still has: a receipt would let the site drop them.
    #[error("{records} events of other tenants are left out of the export")]
    Partial {
        /// How many.
        records: u64,
    },
}

impl ReceiptWithheld {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Empty => Code::ExportEmpty,
            Self::Gap { .. } | Self::Partial { .. } => Code::AuditGap,
        }
    }
}

/// The receipt that answers an export: it confirms every record of the epoch up to its last.
///
/// `held` is where what was taken in before ends, for this device key and epoch; `None` if there
/// is nothing. An export that begins with the epoch needs none.
///
/// # Errors
/// [`ReceiptWithheld`] if the receipt would confirm what is not there.
pub fn receipt_for(
    export: &ExportSummary,
    held: Option<ChainPosition>,
    received_at: Timestamp,
) -> Result<Receipt, ReceiptWithheld> {
    let before = export.before();
    let seq = Positive::new(export.after().seq)
        .filter(|_| export.records() > 0)
        .ok_or(ReceiptWithheld::Empty)?;
    if before.seq > 0 && held != Some(before) {
        return Err(ReceiptWithheld::Gap { before: before.seq });
    }
    if let Some(&records) = export.withheld().get(&Withheld::OtherTenant) {
        return Err(ReceiptWithheld::Partial { records });
    }
    let checkpoint = export.checkpoint();
    Ok(Receipt {
        device_key: checkpoint.device_key.clone(),
        epoch: checkpoint.epoch.clone(),
        seq,
        head: export.after().head.into(),
        received_at,
    })
}
