//! `farhold-kernel tenant`: organizations.

mod create;
mod list;
mod show;
mod subject;

use clap::Subcommand;

use farhold_contract::model::TenantType;

use super::{
    session::Session,
    standing::{limit, resume, suspend},
};
use subject::Organization;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Create an organization
    Create(create::Args),
    /// List every organization
    List(list::Args),
    /// Show one
    Show(show::Args),
    /// Take everything away, until it is resumed
    Suspend(suspend::Args<Organization>),
    /// Give back what its licenses hold
    Resume(resume::Args<Organization>),
    /// Deny features, and leave the rest
    Limit(limit::Args<Organization>),
}

impl Verb {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        match self {
            Self::Create(args) => args.act(session),
            Self::List(args) => args.act(session),
            Self::Show(args) => args.act(session),
            Self::Suspend(args) => args.act(session),
            Self::Resume(args) => args.act(session),
            Self::Limit(args) => args.act(session),
        }
    }
}

const fn kind(kind: TenantType) -> &'static str {
    match kind {
        TenantType::Individual => "individual",
        TenantType::Company => "company",
        TenantType::Internal => "internal",
    }
}
