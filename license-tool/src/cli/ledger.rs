//! `ledger`: the vendor's file of everything that was signed.

mod begin;
mod enter;
mod export;
mod list;
mod open;
mod repair;
mod show;
mod verify;

use clap::Subcommand;

use super::page::Page;
use crate::refusal::Refusal;

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
    /// Repairs a last line that was torn while it was written
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
