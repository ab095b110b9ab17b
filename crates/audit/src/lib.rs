//! What happened, kept so that a change can't go unseen.
//!
//! Data runs one way through this crate: an event's bytes are inspected, redacted, hashed with a
//! salt, and linked into one chain an agent; a run of records leaves as a checkpoint and its
//! lines, and is verified line by line where it arrives. A batch and an export file are the same
//! bytes. The rules are `specs/bundle.md` §6; comments cite its steps.
#![forbid(unsafe_code)]

mod chain;
mod class;
mod event;
mod export;
mod hex_bytes;
mod limits;
mod own_event;
mod receipt;
mod record;
mod redact;
mod run;
mod submitted;
mod verify;

pub use chain::{
    ChainPosition, Epoch, EpochError, Head, Link, Opening, Previous, event_hash, next_head,
};
pub use class::{Class, UnknownClass};
pub use event::{EventError, EventHead, inspect, inspect_recorded};
pub use export::{AgentStanding, ExportWriter, checkpoint};
pub use limits::{LIMITS, Limits};
pub use own_event::{ACTOR_ID, OwnEvent, OwnKind};
pub use receipt::{ReceiptRefusal, ReceiptWithheld, applies, receipt_for};
pub use record::{Body, NotText, Record, RecordError, WireRecord, Withheld, Withhold};
pub use redact::{Redaction, redact};
pub use run::ChainBreak;
pub use submitted::{SubmissionRefusal, Submitted};
pub use verify::{DeviceKey, ExportError, ExportSummary, ExportVerifier, VerifiedRecord};
