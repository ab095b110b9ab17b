//! Vouch: a receipt that a batch presents for what comes before it, where that is not held any more
//! (`bundle.md` §6.7).

use farhold_api::Refusal;
use farhold_audit::{ChainPosition, applies};
use farhold_bundle::{
    Envelope, RefusalReason, Standing, Verified,
    payload::{Checkpoint, Receipt},
};
use farhold_contract::Code;

use crate::{control_plane::ControlPlane, error_chain, intake::judge::Judged, refusal::stored};

/// The line of the receipt by which a batch is taken in after records that are missing here: none
/// if the batch presents none, or what comes before it is held.
///
/// # Errors
/// What [`verify`] refuses.
pub(super) async fn needed(
    plane: &ControlPlane,
    judged: &Judged,
) -> Result<Option<Vec<u8>>, Refusal> {
    let checkpoint = judged.summary.checkpoint();
    let (opening, before) = (judged.opening, judged.summary.before());
    let Some(line) = &checkpoint.receipt else { return Ok(None) };
    let is_held = plane.storage.held(opening.device_key_id, opening.epoch, before).await;
    if is_held.map_err(stored)? {
        return Ok(None);
    }
    let documents = plane.documents();
    let receipt = verify(line, checkpoint, before, &documents.standing)?;
    Ok(Some(receipt.line().to_vec()))
}

/// A receipt that a key of the role kernel signed, under any root of the chain and not revoked
/// since, for this device key and epoch, and for just this place: nobody is believed about records
/// that are not here but who once confirmed them.
///
/// # Errors
/// `envelope.malformed`, `payload.*`, `signature.*`, `trust.missing`: it is not proven.
/// `receipt.foreign`, `receipt.branch`: it says something else.
fn verify(
    line: &str,
    checkpoint: &Checkpoint,
    before: ChainPosition,
    standing: &Standing,
) -> Result<Verified<Receipt>, Refusal> {
    let unproven = |reason: RefusalReason| {
        let detail = format!("the receipt presented: {}", error_chain(&reason));
        Refusal::new(reason.code(), detail)
    };
    let envelope =
        Envelope::open(line.as_bytes()).map_err(RefusalReason::from).map_err(unproven)?;
    let receipt: Verified<Receipt> = standing.stands(envelope).map_err(unproven)?;
    let epoch = checkpoint.epoch.parse().map_err(|_| Code::PayloadMalformed)?;
    applies(&receipt, &checkpoint.device_key, &epoch, Some(before.head))
        .map_err(|reason| Refusal::new(reason.code(), reason.to_string()))?;
    if receipt.seq.as_u64() != before.seq {
        let (seq, before) = (receipt.seq, before.seq);
        let detail = format!("the receipt is for record {seq}, the batch follows record {before}");
        return Err(Refusal::new(Code::ReceiptBranch, detail));
    }
    Ok(receipt)
}
