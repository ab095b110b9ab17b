//! `farhold-kernel provider`: the identity providers of an organization.

mod list;
mod remove;
mod set;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Enter a provider, or replace the one of that issuer
    Set(set::Args),
    /// List an organization's providers
    List(list::Args),
    /// Remove a provider
    Remove(remove::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Set(args) => args.act(session),
            Self::List(args) => args.act(session),
            Self::Remove(args) => args.act(session),
        }
    }
}
