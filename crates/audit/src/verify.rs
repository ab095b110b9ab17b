//! Verifying a batch or an export file, line by line, in constant memory (`bundle.md` §6).

use std::collections::BTreeMap;

use serde::Deserialize;

use farhold_bundle::{
    Envelope, EnvelopeError, KeyId, PayloadError, PublicKey, RefusalReason, Verified,
    payload::{Checkpoint, DocumentType},
    verify_device_document,
};
use farhold_contract::Code;

use crate::{
    chain::{ChainPosition, Head, Link},
    class::Class,
    event::{EventError, EventHead, inspect_recorded},
    record::{Body, RecordError, WireRecord, Withheld},
    run::{ChainBreak, Run},
};

/// How it is known that the device key is the agent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKey {
    /// The verifier knew it beforehand.
    Known,
    /// Only the export says so: it proves that its lines belong together, not whose they are.
    Claimed,
}

/// Why an export is refused.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The first line is no checkpoint that its device key signed.
    #[error(transparent)]
    Checkpoint(#[from] RefusalReason),
    /// The checkpoint is signed by another key than it names.
    #[error("the checkpoint is signed by key {signer}, not by the device key it names")]
    Device {
        /// The key that signed.
        signer: KeyId,
    },
    /// A line is not a record.
    #[error("the line where record {seq} should stand is refused")]
    Record {
        /// The record that should come.
        seq: u64,
        /// How the line differs.
        #[source]
        source: RecordError,
    },
    /// The records do not make the chain they should.
    #[error(transparent)]
    Chain(#[from] ChainBreak),
    /// A line before was refused, and the rest was offered all the same.
    #[error("a line before was refused")]
    AfterRefusal,
}

impl ExportError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Checkpoint(reason) => reason.code(),
            Self::Device { .. } => Code::SignatureInvalid,
            Self::Record { source, .. } => source.code(),
            Self::Chain(broken) => broken.code(),
            Self::AfterRefusal => Code::ChainBroken,
        }
    }
}

/// An export whose checkpoint holds, on its way through the records.
///
/// Lines are given with their line feeds, as a buffered reader yields them; bound the reader by
/// [`crate::LIMITS`]`.line_bytes`, and by the envelope's limit for the first.
#[derive(Debug, Clone)]
pub struct ExportVerifier {
    checkpoint: Verified<Checkpoint>,
    device: DeviceKey,
    before: ChainPosition,
    run: Run,
    refused: bool,
    by_class: BTreeMap<Class, u64>,
    withheld: BTreeMap<Withheld, u64>,
}

impl ExportVerifier {
    /// Verifies the first line: by `expected_device`, or by the key that it names itself.
    ///
    /// # Errors
    /// [`ExportError`]: not an envelope, not signed by that key, not a checkpoint, or an epoch's
    /// first run that does not begin where the epoch opens.
    pub fn open(
        first_line: &[u8],
        expected_device: Option<&PublicKey>,
    ) -> Result<Self, ExportError> {
        let envelope = Envelope::open(without_line_feed(first_line)?).map_err(refusal)?;
        let checkpoint: Verified<Checkpoint> = match expected_device {
            Some(key) => verify_device_document(envelope, key)?,
            None => {
                let claimed = claimed_device_key(&envelope).map_err(RefusalReason::from)?;
                verify_device_document(envelope, &claimed)?
            }
        };
        if let Some(key) = expected_device.filter(|key| **key != checkpoint.device_key) {
            return Err(ExportError::Device { signer: key.id() });
        }
        let run = Run::of(&checkpoint)?;
        Ok(Self {
            device: if expected_device.is_some() { DeviceKey::Known } else { DeviceKey::Claimed },
            checkpoint,
            before: run.at(),
            run,
            refused: false,
            by_class: BTreeMap::new(),
            withheld: BTreeMap::new(),
        })
    }

    /// Verifies the next line. What it says is the agent's word only once [`Self::finish`] agrees:
    /// until then keep it where it can be dropped.
    ///
    /// # Errors
    /// [`ExportError`]; every later call fails too.
    pub fn record<'l>(&mut self, line: &'l [u8]) -> Result<VerifiedRecord<'l>, ExportError> {
        if self.refused {
            return Err(ExportError::AfterRefusal);
        }
        // Only the whole way through leads back to false.
        self.refused = true;
        let record = WireRecord::parse(line)
            .map_err(|source| ExportError::Record { seq: self.run.at().seq + 1, source })?;
        self.run.step(&record)?;
        self.refused = false;
        *self.by_class.entry(record.link.class).or_default() += 1;
        if let Body::Withheld(why) = record.body {
            *self.withheld.entry(why).or_default() += 1;
        }
        Ok(VerifiedRecord { record, head: self.run.at().head })
    }

    /// Ends the export: every record was there, and they come to the head that was signed.
    ///
    /// # Errors
    /// [`ExportError`] if not, or if a line was refused.
    pub fn finish(self) -> Result<ExportSummary, ExportError> {
        if self.refused {
            return Err(ExportError::AfterRefusal);
        }
        self.run.finish()?;
        Ok(ExportSummary {
            checkpoint: self.checkpoint,
            device: self.device,
            before: self.before,
            after: self.run.end(),
            by_class: self.by_class,
            withheld: self.withheld,
        })
    }

    /// The checkpoint, which holds already.
    pub const fn checkpoint(&self) -> &Verified<Checkpoint> {
        &self.checkpoint
    }

    /// Where the chain stood before the first record: whether that is known is the caller's to say.
    pub const fn before(&self) -> ChainPosition {
        self.before
    }

    /// How it is known that the device key is the agent's.
    pub const fn device(&self) -> DeviceKey {
        self.device
    }
}

fn without_line_feed(line: &[u8]) -> Result<&[u8], RefusalReason> {
    let shape = |expected| refusal(EnvelopeError::Shape { at: line.len(), expected });
    let content = line.strip_suffix(b"\n").ok_or_else(|| shape("a line feed"))?;
    if content.ends_with(b"\r") {
        return Err(shape("a line feed alone, not CRLF"));
    }
    Ok(content)
}

fn refusal(error: EnvelopeError) -> RefusalReason {
    error.into()
}

/// The key that an unverified checkpoint names: good for checking that it signed, for nothing else.
fn claimed_device_key(envelope: &Envelope) -> Result<PublicKey, PayloadError> {
    #[derive(Deserialize)]
    struct Claim {
        device_key: PublicKey,
    }
    if envelope.kind() != DocumentType::Checkpoint {
        return Err(PayloadError::OtherType {
            actual: envelope.kind(),
            expected: DocumentType::Checkpoint,
        });
    }
    serde_json::from_slice(envelope.danger_unverified_payload())
        .map(|claim: Claim| claim.device_key)
        .map_err(|source| PayloadError::Malformed { document: DocumentType::Checkpoint, source })
}

/// A record that is the next of its chain.
#[derive(Debug, Clone)]
pub struct VerifiedRecord<'l> {
    record: WireRecord<'l>,
    head: Head,
}

impl<'l> VerifiedRecord<'l> {
    /// What the chain keeps of it.
    pub const fn link(&self) -> &Link {
        &self.record.link
    }

    /// The head after it.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The event, or why it is not there.
    pub const fn body(&self) -> &Body<'l> {
        &self.record.body
    }

    /// Holds the event to the contract and to its record's tenant and class; `None` if it is
    /// withheld. A refusal concerns this event's content and never the chain.
    ///
    /// # Errors
    /// [`EventError`] names what is wrong with it.
    pub fn inspect(&self) -> Result<Option<EventHead>, EventError> {
        let Body::Kept { event, .. } = &self.record.body else { return Ok(None) };
        let head = inspect_recorded(event.as_bytes())?;
        if head.tenant_id != self.link().tenant_id {
            return Err(EventError::Mislabelled { member: "tenant_id" });
        }
        if head.class != self.link().class {
            return Err(EventError::Mislabelled { member: "class" });
        }
        Ok(Some(head))
    }
}

/// What a whole export amounts to.
#[derive(Debug, Clone)]
pub struct ExportSummary {
    checkpoint: Verified<Checkpoint>,
    device: DeviceKey,
    before: ChainPosition,
    after: ChainPosition,
    by_class: BTreeMap<Class, u64>,
    withheld: BTreeMap<Withheld, u64>,
}

impl ExportSummary {
    /// The agent's signed word on it.
    pub const fn checkpoint(&self) -> &Verified<Checkpoint> {
        &self.checkpoint
    }

    /// How it is known that the device key is the agent's.
    pub const fn device(&self) -> DeviceKey {
        self.device
    }

    /// Where the chain stood before the first record.
    pub const fn before(&self) -> ChainPosition {
        self.before
    }

    /// Where it stands after the last.
    pub const fn after(&self) -> ChainPosition {
        self.after
    }

    /// How many records it has.
    pub const fn records(&self) -> u64 {
        self.after.seq - self.before.seq
    }

    /// How many of each class, those withheld counted too.
    pub const fn by_class(&self) -> &BTreeMap<Class, u64> {
        &self.by_class
    }

    /// How many came without their event, by reason.
    pub const fn withheld(&self) -> &BTreeMap<Withheld, u64> {
        &self.withheld
    }
}
