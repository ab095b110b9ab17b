//! The site: a chain of records.

use std::collections::BTreeMap;

use farhold_audit::{Epoch, Head};
use farhold_sync::{Backlog, Jitter, Run};

use super::kernel::Batch;

pub const EPOCH: Epoch = Epoch::new([7; 16]);
pub const OPEN: Head = Head::new([0xAA; 32]);

#[derive(Debug, Clone, Copy)]
pub struct Record {
    pub event: u64,
    pub head: Head,
    pub bytes: u64,
}

/// What is on the site's disk; a clone is a snapshot of it.
#[derive(Debug, Clone, Default)]
pub struct Site {
    pub chain: Vec<Record>,
    pub acknowledged: u64,
    /// Up to here nothing is kept.
    pub pruned_to: u64,
    /// Every receipt that was kept.
    pub receipts: BTreeMap<u64, Head>,
}

impl Site {
    pub fn append(&mut self, event: u64, bytes: u64) {
        let before = self.head(self.last()).unwrap();
        // Nothing secret: a head that follows from the one before it and from the event.
        let before = u64::from_be_bytes(before.as_bytes()[..8].try_into().unwrap());
        let seed = before.rotate_left(7) ^ event;
        let mut mix = Jitter::seeded(seed);
        let mut head = [0; 32];
        head.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&mix.draw().to_be_bytes()));
        self.chain.push(Record { event, head: Head::new(head), bytes });
    }

    pub fn last(&self) -> u64 {
        self.chain.len() as u64
    }

    pub fn head(&self, seq: u64) -> Option<Head> {
        match seq.checked_sub(1) {
            None => Some(OPEN),
            Some(index) => self.chain.get(index as usize).map(|record| record.head),
        }
    }

    /// As [`Self::head`], as far as it can be known: from the record, or from its receipt.
    pub fn known_head(&self, seq: u64) -> Option<Head> {
        let kept = self.head(seq).filter(|_| seq == 0 || seq > self.pruned_to);
        kept.or_else(|| self.receipts.get(&seq).copied())
    }

    /// Removes records up to `seq`; the last that was confirmed stays.
    pub fn prune(&mut self, seq: u64) {
        self.pruned_to = self.pruned_to.max(seq.min(self.acknowledged.saturating_sub(1)));
    }

    /// The first record from `from` on for which there is a receipt.
    pub fn receipted(&self, from: u64) -> Option<u64> {
        self.receipts.range(from..).next().map(|(seq, _)| *seq)
    }

    pub fn first(&self) -> u64 {
        self.pruned_to + 1
    }

    pub fn backlog(&self) -> Backlog {
        Backlog {
            epoch: EPOCH,
            first: self.first(),
            last: self.last(),
            acknowledged: self.acknowledged,
        }
    }

    /// Reads a batch as the shell does: as many records as fit, and always one.
    pub fn batch(&self, run: Run) -> Batch {
        let mut room = run.bytes;
        let mut records = Vec::new();
        for record in &self.chain[run.from as usize - 1..run.to as usize] {
            if !records.is_empty() && record.bytes > room {
                break;
            }
            room = room.saturating_sub(record.bytes);
            records.push(*record);
        }
        assert!(run.from > self.pruned_to, "a batch of records that are not kept");
        let before = self.known_head(run.from - 1).expect("the head before a batch is known");
        let receipt = run.receipt.map(|seq| (seq, self.receipts[&seq]));
        Batch { from: run.from, before, receipt, records }
    }
}
