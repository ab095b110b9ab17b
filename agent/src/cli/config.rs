//! `farhold config`: what the agent is told.

mod check;
mod default;
mod show;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Read every source and say where it is wrong: file, line, key
    Check(check::Args),
    /// Show the values in effect, each with where it comes from
    Show(show::Args),
    /// Print a commented file to begin with
    Default(default::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Check(args) => args.act(session),
            Self::Show(args) => args.act(session),
            Self::Default(args) => args.act(session),
        }
    }
}
