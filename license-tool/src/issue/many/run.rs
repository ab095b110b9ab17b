//! Run: signed over all cores, entered in order, and only then written.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use farhold_bundle::{
    Draft, Envelope, KeyId, Signer, TrustRoot,
    payload::{License, Role},
};
use farhold_contract::{Code, Timestamp};
use farhold_ledger::{Act, Issue, Ledger, Move};

use super::{
    batch::{Batch, Caster},
    parallel::{cores, part},
    plan::Plan,
    shelf::Shelf,
};
use crate::{
    issue::{Next, require_role, require_time},
    ledger::LedgerFile,
    refusal::Refusal,
    template::Stamp,
};

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Licenses that got a new serial.
    pub issued: u64,
    /// Licenses that the ledger had already, and that were written now.
    pub finished: u64,
    /// Licenses that were there already.
    pub there: u64,
}

/// How far signing may run ahead of writing, in parts a core.
const AHEAD: usize = 16;

/// Most licenses have fewer bytes as a line.
const LINE_BYTES: usize = 2048;

/// Signs every row of the plan, enters it, and puts it on the shelf.
///
/// Whatever stops it, what is on the shelf is in the ledger; the same run again does the rest.
///
/// # Errors
/// `trust.root_expired`, `signature.*`, `output.*`, `key.module_unusable`.
#[allow(clippy::too_many_arguments)] // each is another's: who signs, by which root, where to
pub fn run(
    batch: &Batch,
    plan: &Plan,
    root: &TrustRoot,
    signers: &[&(dyn Signer + Sync)],
    now: Timestamp,
    ledger: &mut LedgerFile,
    mut shelf: Shelf,
    mut progress: impl FnMut(usize),
) -> Result<Outcome, Refusal> {
    require_time(root, now)?;
    for signer in signers {
        require_role(root, *signer, Role::License)?;
    }
    let press = Press { batch, plan, root, signers };
    let present = press.present(&shelf)?;
    let kept = shelf.keep(|at, line| press.is_line_of(at, line))?;
    let mut outcome = Outcome { there: kept as u64, ..Outcome::default() };
    let count = plan.rows.len() - kept;
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD * cores());
        for _ in 0..cores() {
            let (sender, press, present, next, stop) =
                (sender.clone(), &press, &present, &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(part) = part(number, count) else { break };
                    let part = part.start + kept..part.end + kept;
                    if sender.send((number, press.sign(part, present))).is_err() {
                        break; // nobody waits for it any more
                    }
                }
            });
        }
        drop(sender);
        let mut clerk = Clerk { ledger, shelf: &mut shelf, now, outcome: &mut outcome };
        let done = clerk.take_all(&receiver, |done| progress(kept + done));
        stop.store(true, Ordering::Relaxed);
        drop(receiver);
        done
    })?;
    shelf.finish()?;
    Ok(outcome)
}

/// Makes signed lines: shared by all cores.
struct Press<'a> {
    batch: &'a Batch,
    plan: &'a Plan,
    root: &'a TrustRoot,
    signers: &'a [&'a (dyn Signer + Sync)],
}

/// The licenses of a part: their lines one after the other, each with its line feed.
struct Made {
    there: u64,
    lines: Vec<u8>,
    signed: Vec<Signed>,
}

/// One license of a part.
struct Signed {
    next: Next,
    /// Where its line ends.
    end: usize,
    /// What the ledger keeps of it.
    issue: Issue,
}

type Part = (usize, Result<Made, Refusal>);

impl Press<'_> {
    /// Which places' files are there already; one of them that is not the license refuses all.
    fn present(&self, shelf: &Shelf) -> Result<Vec<bool>, Refusal> {
        let mut present = vec![false; self.plan.rows.len()];
        for (at, next) in self.plan.rows.iter().enumerate() {
            let Some(path) = shelf.has(next.stamp()) else { continue };
            let line = std::fs::read(&path).unwrap_or_default();
            let is_it = matches!(next, Next::Known(_))
                && line.strip_suffix(b"\n").is_some_and(|line| self.is_line_of(at, line));
            if !is_it {
                let what = format!("{} exists already and is another license", path.display());
                return Err(Refusal::new(Code::OutputExists, what)
                    .with_next("Give another folder, or move the file away yourself."));
            }
            present[at] = true;
        }
        Ok(present)
    }

    /// Whether a line is the license of a place: the same payload, signed as it must be.
    fn is_line_of(&self, at: usize, line: &[u8]) -> bool {
        let Some(Next::Known(stamp)) = self.plan.rows.get(at) else { return false };
        let mut caster = self.batch.caster();
        let Ok((draft, _)) = draft(&mut caster, at, *stamp) else { return false };
        Envelope::open(line).is_ok_and(|envelope| {
            envelope.danger_unverified_payload() == draft.payload()
                && self.root.verify::<License>(envelope).is_ok()
        })
    }

    fn sign(&self, part: Range<usize>, present: &[bool]) -> Result<Made, Refusal> {
        let mut made = Made {
            there: 0,
            lines: Vec::with_capacity(part.len() * LINE_BYTES),
            signed: Vec::with_capacity(part.len()),
        };
        let mut caster = self.batch.caster();
        let signers: Vec<&dyn Signer> =
            self.signers.iter().map(|signer| *signer as &dyn Signer).collect();
        let keys: Vec<KeyId> = self.signers.iter().map(|signer| signer.public_key().id()).collect();
        for at in part {
            if present[at] {
                made.there += 1;
                continue;
            }
            let next = self.plan.rows[at];
            let (draft, license) = draft(&mut caster, at, next.stamp())?;
            let line = draft.seal(&signers)?;
            // One of a part shows that root, keys and threshold agree; all are made alike.
            if made.signed.is_empty() {
                self.root.verify::<License>(Envelope::open(&line)?)?;
            }
            made.lines.extend_from_slice(&line);
            made.lines.push(b'\n');
            let mut issue = Issue::of(license, draft.sha256(), keys.clone());
            issue.rehosts_per_year = self.batch.rehosts_per_year();
            made.signed.push(Signed { next, end: made.lines.len(), issue });
        }
        Ok(made)
    }
}

/// The license of a row in the bytes that are signed.
fn draft<'c>(
    caster: &'c mut Caster<'_>,
    at: usize,
    stamp: Stamp,
) -> Result<(Draft, &'c License), Refusal> {
    // The first pass has cast it and held it to every rule.
    let license = caster.cast(at, stamp).map_err(|mistake| mistake.refuse())?;
    Ok((Draft::danger_unread(license)?, license))
}

/// Enters and writes, in the order of the table.
struct Clerk<'a> {
    ledger: &'a mut LedgerFile,
    shelf: &'a mut Shelf,
    now: Timestamp,
    outcome: &'a mut Outcome,
}

impl Clerk<'_> {
    /// Takes every part that comes; what has come while the disk was busy is written together.
    fn take_all(
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
        self.ledger.stage(self.now, act)
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
