//! The edge: the command line, the terminal, the clock, the exit codes.
//!
//! Each verb is one file: what it takes, and a function from that to a `page::Page`.

mod audit_verify;
mod bundle;
mod clock;
mod inspect;
mod issue;
mod keygen;
mod new;
mod number;
mod page;
mod passphrase;
mod receipt;
mod root_init;
mod root_show;
mod trust;
mod verify;
mod version;

use std::process::ExitCode;

use clap::{Parser, Subcommand, error::ErrorKind};

use farhold_contract::{Code, exit::Exit};

use crate::refusal::Refusal;
use page::Page;

/// Keys, roots, licenses and receipts: what a vendor signs.
///
/// Data goes to standard output, everything else to standard error. Nothing that exists is ever
/// overwritten. Exit codes: 0 done, 2 usage, 4 refused, 5 not verified, 65 bad data, 73 can't write.
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
    /// Makes and shows trust roots
    #[command(subcommand)]
    Root(RootVerb),
    /// Signs a license from a template
    Issue(issue::Args),
    /// Shows what a file claims; verifies nothing
    Inspect(inspect::Args),
    /// Verifies a file under a trust root
    Verify(verify::Args),
    /// Puts verified documents into one bundle for a site
    Bundle(bundle::Args),
    /// Confirms an audit export, so that the site may let go of what it exported
    Receipt(receipt::Args),
    /// Verifies audit exports
    #[command(subcommand)]
    Audit(AuditVerb),
    /// Says which version this is
    Version,
}

#[derive(Subcommand)]
enum RootVerb {
    /// Makes the first root of an issuer
    Init(Box<root_init::Args>),
    /// Shows a root and its hash
    Show(root_show::Args),
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
        Err(error) => refuse_command_line(&error),
    };
    ExitCode::from(exit.code())
}

fn dispatch(verb: Verb) -> Result<Page, Refusal> {
    match verb {
        Verb::New(args) => new::run(args),
        Verb::Keygen(args) => keygen::run(args),
        Verb::Root(RootVerb::Init(args)) => root_init::run(*args),
        Verb::Root(RootVerb::Show(args)) => root_show::run(args),
        Verb::Issue(args) => issue::run(args),
        Verb::Inspect(args) => inspect::run(args),
        Verb::Verify(args) => verify::run(args),
        Verb::Bundle(args) => bundle::run(args),
        Verb::Receipt(args) => receipt::run(args),
        Verb::Audit(AuditVerb::Verify(args)) => audit_verify::run(args),
        Verb::Version => version::run(),
    }
}

/// A command line that was not understood; clap words it better than two lines could.
fn refuse_command_line(error: &clap::Error) -> Exit {
    let _ = error.print(); // to a closed pipe there is nothing to say
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Exit::Ok;
    }
    // The flag itself was not parsed: a program that asked for JSON gets it all the same.
    if std::env::args_os().any(|argument| argument == "--json") {
        let rendered = error.render().to_string();
        let what = rendered.lines().next().unwrap_or_default().trim_start_matches("error: ");
        page::print(&page::error_json(&Refusal::new(Code::UsageInvalid, what)));
    }
    Exit::Usage
}
