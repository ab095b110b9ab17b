//! `farhold-kernel enroll-token`: the tokens by which agents enroll.

mod create;
mod list;
mod revoke;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Create a token for one new agent; it is shown once
    Create(create::Args),
    /// List tokens
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
