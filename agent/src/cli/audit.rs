//! `farhold audit`: what was recorded here.

mod tail;
mod verify;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show the last records
    Tail(tail::Args),
    /// Recompute the whole chain from its records
    Verify(verify::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Tail(args) => args.act(session),
            Self::Verify(args) => args.act(session),
        }
    }
}
