//! `ledger`: the vendor's file of everything that was signed.

mod begin;
mod enter;
mod export;
mod list;
mod open;
mod repair;
mod show;
mod verify;

use std::path::Path;

use clap::Subcommand;
use farhold_bundle::TrustRoot;

use super::page::{Page, warn};
use crate::{
    ledger::{LedgerFile, Repair},
    refusal::Refusal,
};

/// What is done with a ledger.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Begins a ledger for the licenses of a root's issuer
    Begin(begin::Args),
    /// Lists every license and where it stands
    List(list::Args),
    /// Shows everything the ledger knows of one license
    Show(show::Args),
    /// Verifies the whole chain, and says what is open
    Verify(verify::Args),
    /// Writes the ledger, or what follows an entry, for the Kernel or for people
    Export(export::Args),
    /// Enters a license that was issued without the ledger
    Enter(enter::Args),
    /// Repairs a last line that was torn while it was written, or that is too long to be read
    Repair(repair::Args),
}

/// Does it.
pub(crate) fn run(verb: Verb) -> Result<Page, Refusal> {
    match verb {
        Verb::Begin(args) => begin::run(&args),
        Verb::List(args) => list::run(&args),
        Verb::Show(args) => show::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Enter(args) => enter::run(&args),
        Verb::Repair(args) => repair::run(&args),
    }
}

/// Opens a ledger for writing. What was put right of a torn end is said at once, whatever becomes
/// of the verb; [`mended`] says it to programs.
pub(super) fn open_file(path: &Path, root: &TrustRoot) -> Result<LedgerFile, Refusal> {
    let file = LedgerFile::open(path, root)?;
    mended(&file).iter().for_each(|said| warn(said));
    Ok(file)
}

/// What was put right of a torn end, in a line.
pub(super) fn mended(file: &LedgerFile) -> Option<String> {
    match file.mended()? {
        Repair::Whole(_) | Repair::CutOff { .. } => None,
        Repair::Completed(head) => Some(format!(
            "entry {} of the ledger lacked its line feed and has it now: whoever wrote it was \
             interrupted before the license was written, which the same words again write",
            head.seq
        )),
        Repair::MovedOut { to, bytes, head } => Some(format!(
            "the ledger was torn after entry {}: {bytes} bytes of an entry that was never finished \
             are now in {}; its license was not written",
            head.seq,
            to.display()
        )),
    }
}
