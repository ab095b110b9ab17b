//! The edge: the command line, the terminal, the clock, the exit codes.
//!
//! Each verb is one file: what it takes, and a function from that to a `page::Page`.

mod answer;
mod audit_verify;
mod bundle;
mod clock;
mod clock_reset;
mod diff;
mod drill;
mod inspect;
mod issue;
mod issued;
mod keygen;
mod ledger;
mod lint;
mod new;
mod number;
mod page;
mod passphrase;
mod receipt;
mod revoke;
mod root;
mod sign;
mod simulate;
mod tally;
mod trust;
mod verify;
mod version;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use farhold_terminal::{Unparsed, asks_for_json};

use crate::refusal::Refusal;
use page::Page;

/// Keys, roots, licenses and receipts: what a vendor signs.
///
/// Data goes to standard output, everything else to standard error. Nothing that exists is ever
/// overwritten. Exit codes: 0 done, 2 usage, 4 refused, 5 not verified, 65 bad data,
/// 69 a token or its module can't be used, 73 can't write, 75 try again.
#[derive(Parser)]
#[command(name = "license-tool", version, max_term_width = 100)]
struct Cli {
    /// Prints JSON for programs; also on error.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Writes a first license template, commented, to be edited
    New(new::Args),
    /// Makes a key
    Keygen(keygen::Args),
    /// Makes, changes, signs and shows trust roots
    #[command(subcommand)]
    Root(root::Verb),
    /// Signs the draft of a root, of revocations or of a clock reset, which several people sign
    Sign(Box<sign::Args>),
    /// Signs a license from a template, or one for each row of a table
    Issue(Box<issue::Args>),
    /// Answers a site's request with a license bound to its machine
    Answer(Box<answer::Args>),
    /// Keeps the ledger of everything that was signed
    #[command(subcommand)]
    Ledger(ledger::Verb),
    /// Shows what a file claims; verifies nothing
    Inspect(inspect::Args),
    /// Verifies a file under a trust root
    Verify(verify::Args),
    /// Says what templates and licenses hardly mean: weekends, gaps, typos, personal data
    Lint(lint::Args),
    /// Shows how two licenses, bundles or templates differ, and what would stop working
    Diff(diff::Args),
    /// Tells what a site would say of a bundle, and when
    Simulate(Box<simulate::Args>),
    /// Puts verified documents into one bundle for a site
    Bundle(bundle::Args),
    /// Revokes licenses: the next generation of revocations
    Revoke(Box<revoke::Args>),
    /// Repairs the clock of a site that no Kernel reaches, by its request
    ClockReset(clock_reset::Args),
    /// Rehearses the recovery from a stolen or lost key, in memory; writes nothing
    #[command(subcommand)]
    Drill(drill::Verb),
    /// Confirms an audit export, so that the site may let go of what it exported
    Receipt(receipt::Args),
    /// Verifies audit exports
    #[command(subcommand)]
    Audit(AuditVerb),
    /// Says which version this is
    Version,
}

#[derive(Subcommand)]
enum AuditVerb {
    /// Verifies the chain of an audit export
    Verify(audit_verify::Args),
}

/// Runs the command line that the process was started with.
pub fn run() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => page::end(cli.json, dispatch(cli.verb)),
        Err(error) => {
            let unparsed = Unparsed::of(&error, Cli::command().get_name());
            page::end_unparsed(asks_for_json(), unparsed)
        }
    };
    ExitCode::from(exit.code())
}

/// Every verb and flag, for the man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

fn dispatch(verb: Verb) -> Result<Page, Refusal> {
    match verb {
        Verb::New(args) => new::run(args),
        Verb::Keygen(args) => keygen::run(args),
        Verb::Root(verb) => root::run(verb),
        Verb::Sign(args) => sign::run(*args),
        Verb::Issue(args) => issue::run(*args),
        Verb::Answer(args) => answer::run(*args),
        Verb::Ledger(verb) => ledger::run(verb),
        Verb::Inspect(args) => inspect::run(args),
        Verb::Verify(args) => verify::run(args),
        Verb::Lint(args) => lint::run(args),
        Verb::Diff(args) => diff::run(args),
        Verb::Simulate(args) => simulate::run(*args),
        Verb::Bundle(args) => bundle::run(args),
        Verb::Revoke(args) => revoke::run(*args),
        Verb::ClockReset(args) => clock_reset::run(args),
        Verb::Drill(verb) => drill::run(verb),
        Verb::Receipt(args) => receipt::run(args),
        Verb::Audit(AuditVerb::Verify(args)) => audit_verify::run(args),
        Verb::Version => version::run(),
    }
}
