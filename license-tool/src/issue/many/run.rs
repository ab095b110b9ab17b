//! Run: signed over all cores, entered in order, and only then written.

use std::{
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::sync_channel,
    },
    thread,
};

use farhold_bundle::payload::Role;
use farhold_contract::Timestamp;

use super::{
    clerk::Clerk,
    parallel::{cores, part},
    press::Press,
    shelf::Shelf,
};
use crate::{
    issue::{require_role, require_time},
    ledger::LedgerFile,
    refusal::Refusal,
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

/// Signs every row of the press's plan, enters it, and puts it on the shelf. Licenses are dated
/// `now`, and their entries `today`, by the system clock (`specs/ledger.md` §3).
///
/// Whatever stops it, what is on the shelf is in the ledger; the same run again does the rest.
///
/// # Errors
/// `trust.root_expired`, `signature.*`, `output.*`, `key.module_unusable`.
pub fn run(
    press: &Press<'_>,
    now: Timestamp,
    today: Timestamp,
    ledger: &mut LedgerFile,
    mut shelf: Shelf,
    mut progress: impl FnMut(usize),
) -> Result<Outcome, Refusal> {
    require_time(press.root, now)?;
    for signer in press.signers {
        require_role(press.root, *signer, Role::License)?;
    }
    let present = press.present(&shelf)?;
    let kept = shelf.keep(|at, line| press.is_line_of(at, line))?;
    let mut outcome = Outcome { there: kept as u64, ..Outcome::default() };
    let count = press.plan.rows.len() - kept;
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD * cores());
        for _ in 0..cores() {
            let (sender, press, present, next, stop) =
                (sender.clone(), press, &present, &next, &stop);
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
        let mut clerk = Clerk { ledger, shelf: &mut shelf, today, outcome: &mut outcome };
        let done = clerk.take_all(&receiver, |done| progress(kept + done));
        stop.store(true, Ordering::Relaxed);
        drop(receiver);
        done
    })?;
    shelf.finish()?;
    Ok(outcome)
}
