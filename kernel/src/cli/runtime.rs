//! `farhold-kernel runtime`: the runtimes of an organization.

mod limit;
mod list;
mod resume;
mod suspend;

use clap::Subcommand;

use farhold_contract::id::{RuntimeId, TenantId};

use super::session::Session;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List an organization's runtimes
    List(list::Args),
    /// Take everything away from one
    Suspend(suspend::Args),
    /// Give back what its licenses hold
    Resume(resume::Args),
    /// Deny features to one, and leave the rest
    Limit(limit::Args),
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

fn standing_path(tenant_id: TenantId, runtime_id: RuntimeId) -> String {
    format!("/kernel/admin/tenants/{tenant_id}/runtimes/{runtime_id}/standing")
}
