//! Writing a batch or an export file: the checkpoint's line, then its records (`bundle.md` §6).

use std::collections::BTreeMap;

use farhold_bundle::{
    PublicKey, Signer, Whole,
    payload::{Checkpoint, LicenseRef, RootRef},
    seal,
};
use farhold_contract::{Timestamp, id::RuntimeId};

use crate::{
    chain::{ChainPosition, Opening},
    limits::LIMITS,
    record::{RecordError, WireRecord},
    run::{ChainBreak, Run, positive, whole},
    verify::ExportError,
};

/// What a checkpoint says beside the run of records: where its agent stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentStanding {
    /// The agent as the Kernel knows it; absent at a detached site.
    pub runtime_id: Option<RuntimeId>,
    /// Every loss that policy allowed, by reason, since the epoch began.
    pub lost: BTreeMap<String, Whole>,
    /// The system clock.
    pub wall: Timestamp,
    /// The agent's own time.
    pub mark: Timestamp,
    /// This run of the agent: 16 random bytes.
    pub instance: [u8; 16],
    /// The trust root in force, if any.
    pub root: Option<RootRef>,
    /// The generation of the revocations in force; 0 for none.
    pub revocations: Whole,
    /// The licenses in force.
    pub licenses: Vec<LicenseRef>,
}

/// The checkpoint over the records after `before`, up to and with the one at `after`.
///
/// # Errors
/// [`ChainBreak`] if `after` lies before `before`, `before` is not where the epoch opens, or a
/// number is out of range.
pub fn checkpoint(
    device_key: &PublicKey,
    opening: &Opening,
    before: ChainPosition,
    after: ChainPosition,
    standing: AgentStanding,
) -> Result<Checkpoint, ChainBreak> {
    let records = after
        .seq
        .checked_sub(before.seq)
        .ok_or(ChainBreak::Order { expected: before.seq, found: after.seq })?;
    let checkpoint = Checkpoint {
        device_key: device_key.clone(),
        runtime_id: standing.runtime_id,
        epoch: opening.epoch.to_string(),
        opened_after: opening.previous.try_into()?,
        from_seq: positive(before.seq.saturating_add(1))?,
        head_before: before.head.into(),
        to_seq: whole(after.seq)?,
        head: after.head.into(),
        records: whole(records)?,
        lost: standing.lost,
        wall: standing.wall,
        mark: standing.mark,
        instance: hex::encode(standing.instance),
        root: standing.root,
        revocations: standing.revocations,
        licenses: standing.licenses,
        receipt: None,
    };
    Run::of(&checkpoint)?;
    Ok(checkpoint)
}

/// Writes one export, holding each record to the chain on its way out: what would be refused
/// where it arrives never leaves.
#[derive(Debug)]
pub struct ExportWriter {
    run: Run,
}

impl ExportWriter {
    /// Signs the checkpoint and appends its line to `out`.
    ///
    /// # Errors
    /// [`ExportError`] if the checkpoint contradicts itself.
    pub fn begin(
        checkpoint: &Checkpoint,
        signer: &dyn Signer,
        out: &mut Vec<u8>,
    ) -> Result<Self, ExportError> {
        let run = Run::of(checkpoint)?;
        if signer.public_key() != &checkpoint.device_key {
            return Err(ExportError::Device { signer: signer.public_key().id() });
        }
        let line = seal(checkpoint, signer).map_err(ExportError::Checkpoint)?;
        out.extend_from_slice(&line);
        out.push(b'\n');
        Ok(Self { run })
    }

    /// Appends the next record's line to `out`; nothing is appended when it is refused.
    ///
    /// # Errors
    /// [`ExportError`] if it is not the next, its stored event is not the one recorded, or its
    /// line is longer than is read.
    pub fn record(
        &mut self,
        record: &WireRecord<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ExportError> {
        let start = out.len();
        record.to_line(out);
        let taken = self.take(record, out.len() - start);
        if taken.is_err() {
            out.truncate(start);
        }
        taken
    }

    /// Ends the export.
    ///
    /// # Errors
    /// [`ExportError`] if records are missing or come to another head than was signed.
    pub fn finish(self) -> Result<(), ExportError> {
        Ok(self.run.finish()?)
    }

    fn take(&mut self, record: &WireRecord<'_>, bytes: usize) -> Result<(), ExportError> {
        if bytes > LIMITS.line_bytes {
            let source = RecordError::TooLong { bytes, limit: LIMITS.line_bytes };
            return Err(ExportError::Record { seq: record.link.seq, source });
        }
        Ok(self.run.step(record)?)
    }
}
