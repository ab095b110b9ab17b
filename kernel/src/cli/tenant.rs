//! `farhold-kernel tenant`: organizations.

mod create;
mod limit;
mod list;
mod resume;
mod show;
mod suspend;

use clap::Subcommand;

use farhold_contract::model::TenantType;

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Create an organization
    Create(create::Args),
    /// List every organization
    List(list::Args),
    /// Show one
    Show(show::Args),
    /// Take everything away, until it is resumed
    Suspend(suspend::Args),
    /// Give back what its licenses hold
    Resume(resume::Args),
    /// Deny features, and leave the rest
    Limit(limit::Args),
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
