//! The Kernel: it holds a record if it holds the one before it.

use std::collections::{BTreeMap, BTreeSet};

use farhold_audit::Head;
use farhold_contract::call::{batch::HeldHead, heartbeat::Backfill};

use super::site::{EPOCH, OPEN, Record};

/// A batch as it travels.
#[derive(Debug, Clone)]
pub struct Batch {
    pub from: u64,
    pub before: Head,
    /// The receipt presented for what comes before.
    pub receipt: Option<(u64, Head)>,
    pub records: Vec<Record>,
}

#[derive(Debug, Clone, Default)]
pub struct Kernel {
    held: BTreeSet<(u64, Head)>,
    followed: BTreeSet<(u64, Head)>,
    /// How often each event was put on somebody's account.
    pub accounted: BTreeMap<u64, u32>,
    /// Runs that it confirmed and does not hold, as it knows by its own receipts.
    pub lost: Vec<(u64, u64)>,
}

impl Kernel {
    /// Takes a batch in whole, and says up to where; or the heads it holds that nothing follows.
    /// `signed` is every receipt by its key, which no restore takes away.
    pub fn take(
        &mut self,
        batch: &Batch,
        signed: &[(u64, Head)],
    ) -> Result<(u64, Head), Vec<HeldHead>> {
        let mut at = (batch.from - 1, batch.before);
        if !self.holds(at.0, at.1) {
            if batch.receipt != Some(at) || !signed.contains(&at) {
                return Err(self.heads());
            }
            let below =
                self.held.range(..(at.0, Head::NONE)).next_back().map_or(0, |(seq, _)| *seq);
            self.lost.push((below + 1, at.0));
            self.held.insert(at);
        }
        for record in &batch.records {
            let next = (at.0 + 1, record.head);
            if self.held.insert(next) {
                *self.accounted.entry(record.event).or_default() += 1;
                self.followed.insert(at);
            }
            at = next;
        }
        Ok(at)
    }

    /// What it asks for again when a heartbeat says that the chain stands at `seq`, `head`.
    pub fn backfill(&self, seq: u64, head: Head) -> Vec<Backfill> {
        if self.holds(seq, head) {
            return Vec::new();
        }
        let below = self.held.range(..(seq, head)).next_back().map_or(0, |(seq, _)| *seq);
        let from = below.min(seq - 1) + 1;
        vec![Backfill { epoch: EPOCH.to_string(), from, to: seq }]
    }

    pub fn holds(&self, seq: u64, head: Head) -> bool {
        (seq, head) == (0, OPEN) || self.held.contains(&(seq, head))
    }

    fn heads(&self) -> Vec<HeldHead> {
        self.held
            .difference(&self.followed)
            .map(|(seq, head)| HeldHead {
                epoch: EPOCH.to_string(),
                seq: *seq,
                head: (*head).into(),
            })
            .collect()
    }
}
