//! `farhold-kernel agent`: the agents of all sites.

mod list;
mod show;
mod subject;

use clap::Subcommand;

use super::{
    session::Session,
    standing::{resume, suspend},
};
use subject::Agent;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List agents
    List(list::Args),
    /// Show one, with its last report
    Show(show::Args),
    /// Refuse its calls and have its site stop
    Suspend(suspend::Args<Agent>),
    /// Take it up again
    Resume(resume::Args<Agent>),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::List(args) => args.act(session),
            Self::Show(args) => args.act(session),
            Self::Suspend(args) => args.act(session),
            Self::Resume(args) => args.act(session),
        }
    }
}
