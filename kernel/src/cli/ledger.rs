//! `farhold-kernel ledger`: what the vendor says it has issued.

mod show;
mod upload;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Upload the vendor's ledger, or what was added to it
    Upload(upload::Args),
    /// Show how far it is held, and its last entries
    Show(show::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Upload(args) => args.act(session),
            Self::Show(args) => args.act(session),
        }
    }
}
