//! Rewind: looking for the last record that site and Kernel have in common.

use farhold_audit::{Epoch, Head};
use farhold_contract::call::batch::HeldHead;

use super::effect::Run;
use crate::limits::LIMITS;

/// The heads of an `audit.gap`, asked for one after another from the highest down.
#[derive(Debug)]
pub(super) struct Rewind {
    /// The batch that met the gap: what both have in common lies below it.
    pub(super) sent: Run,
    /// Ascending, so that the next to ask for is the last.
    heads: Vec<(u64, Head)>,
    asked: Option<(u64, Head)>,
}

impl Rewind {
    pub(super) fn new(epoch: Epoch, sent: Run, held: &[HeldHead]) -> Self {
        let below = sent.from - 1;
        let mut heads: Vec<(u64, Head)> = held
            .iter()
            .filter(|held| held.epoch.parse() == Ok(epoch) && (1..below).contains(&held.seq))
            .map(|held| (held.seq, held.head.into()))
            .collect();
        heads.sort_unstable();
        heads.dedup();
        heads.drain(..heads.len().saturating_sub(LIMITS.gap_heads));
        Self { sent, heads, asked: None }
    }

    /// The next record to look up, once; `None` while one is asked for.
    pub(super) fn ask(&mut self) -> Option<u64> {
        if self.asked.is_some() {
            return None;
        }
        self.asked = self.heads.pop();
        self.asked.map(|(seq, _)| seq)
    }

    /// Takes the site's own head after `seq`; true if the Kernel's is the same.
    pub(super) fn answer(&mut self, seq: u64, own: Option<Head>) -> bool {
        match self.asked {
            Some((asked, held)) if asked == seq => {
                self.asked = None;
                own == Some(held)
            }
            _ => false,
        }
    }

    /// Whether nothing is left to ask, and none was the same.
    pub(super) fn is_exhausted(&self) -> bool {
        self.asked.is_none() && self.heads.is_empty()
    }
}
