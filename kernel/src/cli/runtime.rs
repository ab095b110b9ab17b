//! `farhold-kernel runtime`: the runtimes of an organization.

mod list;
mod subject;

use clap::Subcommand;

use super::{
    session::Session,
    standing::{limit, resume, suspend},
};
use subject::Runtime;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List an organization's runtimes
    List(list::Args),
    /// Take everything away from one
    Suspend(suspend::Args<Runtime>),
    /// Give back what its licenses hold
    Resume(resume::Args<Runtime>),
    /// Deny features to one, and leave the rest
    Limit(limit::Args<Runtime>),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::List(args) => args.act(session),
            Self::Suspend(args) => args.act(session),
            Self::Resume(args) => args.act(session),
            Self::Limit(args) => args.act(session),
        }
    }
}
