//! `farhold-kernel dead-letters`: events whose content was refused.

mod list;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List an organization's
    List(list::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::List(args) => args.act(session),
        }
    }
}
