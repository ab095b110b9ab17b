//! Clerk: what was signed is entered, and then written, in the order of the table.

use std::{collections::BTreeMap, sync::mpsc::Receiver};

use farhold_contract::Timestamp;
use farhold_ledger::{Act, Issue, Ledger, Move};

use super::{
    press::{Made, Signed},
    run::Outcome,
    shelf::Shelf,
};
use crate::{issue::Next, ledger::LedgerFile, refusal::Refusal};

/// A part by its number, and what it came to.
pub(super) type Part = (usize, Result<Made, Refusal>);

/// Enters and writes, in the order of the table.
pub(super) struct Clerk<'a> {
    pub(super) ledger: &'a mut LedgerFile,
    pub(super) shelf: &'a mut Shelf,
    pub(super) today: Timestamp,
    pub(super) outcome: &'a mut Outcome,
}

impl Clerk<'_> {
    /// Takes every part that comes; what has come while the disk was busy is written together.
    pub(super) fn take_all(
        &mut self,
        parts: &Receiver<Part>,
        mut progress: impl FnMut(usize),
    ) -> Result<(), Refusal> {
        let mut waiting = BTreeMap::new();
        let (mut expected, mut done) = (0, 0);
        while let Ok((number, part)) = parts.recv() {
            waiting.insert(number, part);
            while let Ok((number, part)) = parts.try_recv() {
                waiting.insert(number, part);
            }
            let mut ready = Vec::new();
            let mut failed = None;
            while let Some(part) = waiting.remove(&expected) {
                expected += 1;
                match part {
                    Ok(made) => ready.push(made),
                    Err(refusal) => {
                        failed = Some(refusal);
                        break;
                    }
                }
            }
            done += self.take(ready)?;
            progress(done);
            if let Some(refusal) = failed {
                return Err(refusal);
            }
        }
        Ok(())
    }

    fn take(&mut self, ready: Vec<Made>) -> Result<usize, Refusal> {
        let mut done = 0;
        let mut written = Vec::with_capacity(ready.len());
        for made in ready {
            self.outcome.there += made.there;
            done += made.there as usize + made.signed.len();
            let mut stamps = Vec::with_capacity(made.signed.len());
            for Signed { next, end, issue } in made.signed {
                self.enter(next, issue)?;
                stamps.push((next.stamp(), end));
            }
            written.push((made.lines, stamps));
        }
        // specs/ledger.md §6: entered and durable before anything of it is written.
        self.ledger.commit()?;
        for (lines, stamps) in written {
            self.shelf.put(&lines, stamps.into_iter())?;
        }
        self.shelf.settle()?;
        Ok(done)
    }

    fn enter(&mut self, next: Next, issue: Issue) -> Result<(), Refusal> {
        match next {
            Next::New(_) => self.outcome.issued += 1,
            Next::Known(_) => {
                self.outcome.finished += 1;
                let known = self.ledger.ledger().contract(issue.license_id);
                // By other keys it is one more entry: what falls with a key must be known.
                if known.is_some_and(|contract| contract.newest.keys == issue.keys) {
                    return Ok(());
                }
            }
        }
        let act = act(self.ledger.ledger(), issue);
        self.ledger.stage(self.today, act)
    }
}

/// The entry of a license that nobody's request asked for: a move where it names another machine.
pub(crate) fn act(ledger: &Ledger, issue: Issue) -> Act {
    let is_moved = |bound| {
        let contract = ledger.contract(issue.license_id);
        contract.is_some_and(|contract| contract.move_by(bound) == Move::Rehost)
    };
    if issue.bound.as_ref().is_some_and(is_moved) {
        Act::Rehosted(issue)
    } else {
        Act::Issued(issue)
    }
}
