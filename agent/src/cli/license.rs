//! `farhold license`: what the site may do, and why not.

mod explain;
mod show;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show every license stored and where it is in its life
    Show(show::Args),
    /// Explain a code or a condition; without one, list them all
    Explain(explain::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Show(args) => args.act(session),
            Self::Explain(args) => args.act(session),
        }
    }
}
