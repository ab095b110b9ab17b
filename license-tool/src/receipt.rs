//! Receipt: the vendor's word that an audit export has arrived.

use farhold_audit::{ChainPosition, ExportSummary, receipt_for};
use farhold_bundle::{Envelope, Signer, Verified, payload::Receipt, seal, verify_device_document};
use farhold_contract::{Code, Timestamp};

use crate::refusal::Refusal;

/// Signs the receipt that answers a verified export; what is returned has been verified.
///
/// `before` is the receipt of the export before this one, where this one does not begin with the
/// epoch: a receipt confirms every record up to its own.
///
/// # Errors
/// `export.empty`, `audit.gap`, `receipt.foreign` for a `before` of another agent or epoch.
pub fn sign_receipt(
    export: &ExportSummary,
    before: Option<&Receipt>,
    received_at: Timestamp,
    signer: &dyn Signer,
) -> Result<Verified<Receipt>, Refusal> {
    let held = before.map(|receipt| position_of(receipt, export)).transpose()?;
    let receipt = receipt_for(export, held, received_at).map_err(|withheld| {
        let refusal = Refusal::from_error(withheld.code(), &withheld);
        match withheld {
            farhold_audit::ReceiptWithheld::Gap { .. } => refusal
                .with_next("Give --after with the receipt that ends where the export begins."),
            _ => refusal,
        }
    })?;
    let line = seal(&receipt, signer)?;
    by_key(&line, signer)
}

/// Opens a receipt that this key signed.
///
/// # Errors
/// `signature.*`, `payload.*`, `envelope.*`.
pub fn by_key(line: &[u8], signer: &dyn Signer) -> Result<Verified<Receipt>, Refusal> {
    // A receipt's own role needs a root; the key that made it can know its own hand.
    Ok(verify_device_document(Envelope::open(line)?, signer.public_key())?)
}

fn position_of(receipt: &Receipt, export: &ExportSummary) -> Result<ChainPosition, Refusal> {
    let checkpoint = export.checkpoint();
    if receipt.device_key != checkpoint.device_key || receipt.epoch != checkpoint.epoch {
        return Err(Refusal::new(
            Code::ReceiptForeign,
            "the receipt before is for another agent or another epoch than the export",
        )
        .with_next("Give the last receipt made for this agent."));
    }
    Ok(ChainPosition { seq: receipt.seq.as_u64(), head: receipt.head.into() })
}
