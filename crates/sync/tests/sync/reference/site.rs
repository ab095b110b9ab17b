//! The site: a chain of records.

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

    pub fn backlog(&self) -> Backlog {
        Backlog { epoch: EPOCH, first: 1, last: self.last(), acknowledged: self.acknowledged }
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
        Batch { from: run.from, before: self.head(run.from - 1).unwrap(), records }
    }
}
