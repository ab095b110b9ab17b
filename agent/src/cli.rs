//! The command line: one verb a file, one edge where errors become lines and exit codes.

mod audit;
mod check;
mod config;
mod decision;
mod enroll;
mod export;
mod fingerprint;
mod import;
mod license;
mod log;
mod output;
mod queue;
mod request;
mod run;
mod session;
mod status;
mod token;
mod trust;
mod version;

use std::{error::Error, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use farhold_terminal::{Known, Program};

use crate::exit;
use session::{Global, Session};

/// Licenses, entitlements and audit for the products of a site, online or not.
#[derive(Parser)]
#[command(name = "farhold", version, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 done, 2 usage, 4 verified but refused, 5 not verified, \
    65 bad data, 69 unavailable, 73 can't write, 75 try again, 78 configuration.")]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the agent in the foreground, for a service manager or a container
    Run(run::Args),
    /// Install or show the vendor's trust root
    #[command(subcommand)]
    Trust(trust::Verb),
    /// Enroll this site at the vendor's Kernel by a token
    Enroll(enroll::Args),
    /// Import a bundle of signed documents
    Import(import::Args),
    /// Show how the site is: conditions, clock, queue
    Status(status::Args),
    /// Show licenses, explain codes
    #[command(subcommand)]
    License(license::Verb),
    /// Read and verify the audit log
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Export the audit records that the vendor has not receipted
    Export(export::Args),
    /// Ask the vendor: for a license of this machine's own, a rehost, a clock reset
    Request(request::Args),
    /// Show what licenses may be bound to of this machine
    Fingerprint(fingerprint::Args),
    /// Look after the audit queue
    #[command(subcommand)]
    Queue(queue::Verb),
    /// Create, list and revoke the tokens of runtimes
    #[command(subcommand)]
    Token(token::Verb),
    /// Check, show or draft the configuration
    #[command(subcommand)]
    Config(config::Verb),
    /// Examine the site and say what to do about what is wrong
    Check(check::Args),
    /// Show the version of the program and of the contract
    Version(version::Args),
}

/// The whole program: parse, do, end.
pub fn main() -> ExitCode {
    farhold_terminal::main::<Cli>()
}

/// Every verb and flag, for the man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

impl Program for Cli {
    fn json(&self) -> bool {
        self.global.json()
    }

    fn act(self) -> anyhow::Result<()> {
        self.verb.act(&Session::new(self.global))
    }

    fn known(error: &(dyn Error + 'static)) -> Option<Known> {
        exit::known(error)
    }
}

impl Verb {
    fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Run(args) => args.act(session),
            Self::Trust(verb) => verb.act(session),
            Self::Enroll(args) => args.act(session),
            Self::Import(args) => args.act(session),
            Self::Status(args) => args.act(session),
            Self::License(verb) => verb.act(session),
            Self::Audit(verb) => verb.act(session),
            Self::Export(args) => args.act(session),
            Self::Request(args) => args.act(session),
            Self::Fingerprint(args) => args.act(session),
            Self::Queue(verb) => verb.act(session),
            Self::Token(verb) => verb.act(session),
            Self::Config(verb) => verb.act(session),
            Self::Check(args) => args.act(session),
            Self::Version(args) => args.act(session),
        }
    }
}
