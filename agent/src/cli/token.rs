//! `farhold token`: what runtimes prove themselves with.

mod create;
mod list;
mod revoke;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Create a token for one runtime; it is shown once
    Create(create::Args),
    /// List the tokens, without themselves
    List(list::Args),
    /// Revoke a token
    Revoke(revoke::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Create(args) => args.act(session),
            Self::List(args) => args.act(session),
            Self::Revoke(args) => args.act(session),
        }
    }
}
