//! `farhold license`: what the site may do, and why not.

mod explain;
mod show;
mod timeline;
mod what_if;

use clap::Subcommand;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Show every license stored, where it is in its life, and what will be in force when
    Show(show::Args),
    /// Show what would be decided at another time, by another clock, or on a changed machine
    WhatIf(what_if::Args),
    /// Explain a code or a condition; without one, list them all
    Explain(explain::Args),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Show(args) => args.act(session),
            Self::WhatIf(args) => args.act(session),
            Self::Explain(args) => args.act(session),
        }
    }
}
