//! `farhold-kernel license`: what the organizations hold.

mod list;
mod upload;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Upload a bundle of roots, revocations and licenses
    Upload(upload::Args),
    /// List an organization's licenses
    List(list::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Upload(args) => args.act(session),
            Self::List(args) => args.act(session),
        }
    }
}
