//! Run: records one after another, from one place in a chain to another. Writing and verifying
//! walk it by the same steps.

use farhold_bundle::{
    Positive, Whole,
    payload::{Checkpoint, OpenedAfter},
};
use farhold_contract::Code;

use crate::{
    chain::{ChainPosition, EpochError, Opening, Previous, event_hash},
    record::{Body, WireRecord},
};

/// Where records do not make the chain they should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// The first record of an epoch does not follow the epoch's opening.
    #[error("the head before record 1 is not the one this device and epoch open with")]
    Opening,
    /// Records are missing before one.
    #[error("record {expected} is missing: record {found} comes instead")]
    Gap {
        /// The record that should come.
        expected: u64,
        /// The record that comes.
        found: u64,
    },
    /// A record comes again, or too late.
    #[error("record {found} comes where record {expected} should")]
    Order {
        /// The record that should come.
        expected: u64,
        /// The record that comes.
        found: u64,
    },
    /// A record comes after the last.
    #[error("record {found} comes after the last, which is record {last}")]
    Surplus {
        /// The last record of the checkpoint.
        last: u64,
        /// The record that comes.
        found: u64,
    },
    /// An event is not the one that was recorded.
    #[error("the event of record {seq} is not the one that was recorded")]
    Event {
        /// The record.
        seq: u64,
    },
    /// The end is missing.
    #[error("records {first_missing} to {last} are missing at the end")]
    Unfinished {
        /// The first record that is missing.
        first_missing: u64,
        /// The last record of the checkpoint.
        last: u64,
    },
    /// The records come to something else than was signed.
    #[error("the records up to {seq} do not come to the head that the device signed")]
    Head {
        /// The last record.
        seq: u64,
    },
    /// A number is beyond 2^53 − 1.
    #[error("a sequence number is beyond 2^53 - 1")]
    Number,
}

impl ChainBreak {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Gap { .. } | Self::Unfinished { .. } => Code::AuditGap,
            Self::Opening
            | Self::Order { .. }
            | Self::Surplus { .. }
            | Self::Event { .. }
            | Self::Head { .. }
            | Self::Number => Code::ChainBroken,
        }
    }
}

impl From<EpochError> for ChainBreak {
    fn from(_: EpochError) -> Self {
        Self::Opening
    }
}

impl TryFrom<Previous> for OpenedAfter {
    type Error = ChainBreak;

    /// Writes a past down for a checkpoint; [`ChainBreak::Number`] for one no chain reaches.
    fn try_from(previous: Previous) -> Result<Self, ChainBreak> {
        Ok(Self {
            epoch: previous.epoch.to_string(),
            seq: whole(previous.seq)?,
            head: previous.head.into(),
        })
    }
}

pub(crate) fn whole(number: u64) -> Result<Whole, ChainBreak> {
    Whole::new(number).ok_or(ChainBreak::Number)
}

pub(crate) fn positive(number: u64) -> Result<Positive, ChainBreak> {
    Positive::new(number).ok_or(ChainBreak::Number)
}

/// A walk along a run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    at: ChainPosition,
    end: ChainPosition,
}

impl Run {
    /// The run that a checkpoint states, at its beginning.
    pub(crate) fn of(checkpoint: &Checkpoint) -> Result<Self, ChainBreak> {
        let opening = Opening::of(checkpoint)?;
        let before = ChainPosition {
            seq: checkpoint.from_seq.as_u64() - 1,
            head: checkpoint.head_before.into(),
        };
        if before.seq == 0 && before.head != opening.head() {
            return Err(ChainBreak::Opening);
        }
        let end = ChainPosition { seq: checkpoint.to_seq.as_u64(), head: checkpoint.head.into() };
        Ok(Self { at: before, end })
    }

    /// Takes one record as the next.
    pub(crate) fn step(&mut self, record: &WireRecord<'_>) -> Result<(), ChainBreak> {
        let (found, expected) = (record.link.seq, self.at.seq + 1);
        if found < expected {
            return Err(ChainBreak::Order { expected, found });
        }
        if found > self.end.seq {
            return Err(ChainBreak::Surplus { last: self.end.seq, found });
        }
        if found > expected {
            return Err(ChainBreak::Gap { expected, found });
        }
        if let Body::Kept { salt, event } = &record.body
            && event_hash(salt, event.as_bytes()) != record.link.event_hash
        {
            return Err(ChainBreak::Event { seq: found });
        }
        self.at.advance(&record.link);
        Ok(())
    }

    /// Stands at the end, or says what is missing or wrong.
    pub(crate) fn finish(&self) -> Result<(), ChainBreak> {
        if self.at.seq < self.end.seq {
            return Err(ChainBreak::Unfinished {
                first_missing: self.at.seq + 1,
                last: self.end.seq,
            });
        }
        if self.at != self.end {
            return Err(ChainBreak::Head { seq: self.end.seq });
        }
        Ok(())
    }

    pub(crate) const fn at(&self) -> ChainPosition {
        self.at
    }

    pub(crate) const fn end(&self) -> ChainPosition {
        self.end
    }
}
