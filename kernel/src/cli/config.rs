//! `farhold-kernel config`: what the Kernel is told.

mod check;
mod default;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Read the file and say where it is wrong
    Check(check::Args),
    /// Print a commented file to begin with
    Default(default::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Check(args) => args.act(session),
            Self::Default(args) => args.act(session),
        }
    }
}
