//! `farhold-kernel ca`: the CA that certifies the Kernel and its agents.

mod rotate;
mod show;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show every CA of the data directory, with what a trust root lists
    Show(show::Args),
    /// Make a new CA beside the old one, for a Kernel that is stopped
    Rotate(rotate::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Show(args) => args.act(session),
            Self::Rotate(args) => args.act(session),
        }
    }
}
