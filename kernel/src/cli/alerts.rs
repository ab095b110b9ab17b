//! `farhold-kernel alerts`: what needs someone's attention.

mod acknowledge;
mod list;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List alerts, newest first
    List(list::Args),
    /// Say that someone has taken it on
    Acknowledge(acknowledge::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::List(args) => args.act(session),
            Self::Acknowledge(args) => args.act(session),
        }
    }
}
