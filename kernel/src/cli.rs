//! The command line: one verb a file, one edge where errors become lines and exit codes.
//!
//! Every verb but `init`, `run`, `ca`, `config` and `version` is a thin client of the admin API.

mod agent;
mod alerts;
mod audit;
mod ca;
mod client;
mod config;
mod dead_letters;
mod enroll_token;
mod init;
mod ledger;
mod license;
mod output;
mod pages;
mod provider;
mod run;
mod runtime;
mod runtime_token;
mod session;
mod standing;
mod status;
mod tenant;
mod trust;
mod version;

use std::{error::Error, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use farhold_contract::Code;
use farhold_terminal::{Known, Program};

use crate::{config::ConfigError, init::InitError, open::OpenError};
use session::{Global, Session};

/// The control plane: tenants, agents, licenses and the audit of every site.
#[derive(Parser)]
#[command(name = "farhold-kernel", version, propagate_version = true)]
#[command(disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 done, 2 usage, 4 verified but refused, 5 not verified, \
    65 bad data, 69 unavailable, 73 can't write, 75 try again, 78 configuration.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make the data directory: CA, server certificate, receipt key, admin token
    Init(init::Args),
    /// Run the Kernel in the foreground, for a service manager or a container
    Run(run::Args),
    /// Check or draft the configuration
    #[command(subcommand)]
    Config(config::Verb),
    /// Show how the Kernel is: trust, counts, chain
    Status(status::Args),
    /// Create, show, suspend and limit organizations
    #[command(subcommand)]
    Tenant(tenant::Verb),
    /// List, suspend and limit runtimes
    #[command(subcommand)]
    Runtime(runtime::Verb),
    /// List, show and suspend agents
    #[command(subcommand)]
    Agent(agent::Verb),
    /// Create, list and revoke the tokens of runtimes that speak to the Kernel itself
    #[command(subcommand)]
    RuntimeToken(runtime_token::Verb),
    /// Create, list and revoke the tokens by which agents enroll
    #[command(subcommand)]
    EnrollToken(enroll_token::Verb),
    /// Install or show the trust root
    #[command(subcommand)]
    Trust(trust::Verb),
    /// Upload and list licenses
    #[command(subcommand)]
    License(license::Verb),
    /// Upload and show the vendor's ledger of what it issued
    #[command(subcommand)]
    Ledger(ledger::Verb),
    /// Look after the identity providers of an organization
    #[command(subcommand)]
    Provider(provider::Verb),
    /// Read and verify the audit
    #[command(subcommand)]
    Audit(audit::Verb),
    /// List the events whose content was refused
    #[command(subcommand)]
    DeadLetters(dead_letters::Verb),
    /// List and acknowledge alerts
    #[command(subcommand)]
    Alerts(alerts::Verb),
    /// Show and rotate the CA that certifies the Kernel and its agents
    #[command(subcommand)]
    Ca(ca::Verb),
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
        code_of(error).map(Known::from)
    }
}

impl Verb {
    fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Init(args) => args.act(session),
            Self::Run(args) => args.act(session),
            Self::Config(verb) => verb.act(session),
            Self::Status(args) => args.act(session),
            Self::Tenant(verb) => verb.act(session),
            Self::Runtime(verb) => verb.act(session),
            Self::Agent(verb) => verb.act(session),
            Self::RuntimeToken(verb) => verb.act(session),
            Self::EnrollToken(verb) => verb.act(session),
            Self::Trust(verb) => verb.act(session),
            Self::License(verb) => verb.act(session),
            Self::Ledger(verb) => verb.act(session),
            Self::Provider(verb) => verb.act(session),
            Self::Audit(verb) => verb.act(session),
            Self::DeadLetters(verb) => verb.act(session),
            Self::Alerts(verb) => verb.act(session),
            Self::Ca(verb) => verb.act(session),
            Self::Version(args) => args.act(session),
        }
    }
}

/// The code of an error of the Kernel's own; the code's next action is all there is to say.
fn code_of(error: &(dyn Error + 'static)) -> Option<Code> {
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        return Some(error.code());
    }
    if let Some(error) = error.downcast_ref::<InitError>() {
        return Some(error.code());
    }
    error.downcast_ref::<OpenError>().map(OpenError::code)
}
