//! The organization whose standing is set.

use farhold_contract::{call::heartbeat::KernelStanding, id::TenantId};

use crate::{admin::answer::TenantAnswer, cli::standing::Subject};

#[derive(clap::Args)]
pub(in crate::cli) struct Organization {
    /// The organization
    id: TenantId,
}

impl Subject for Organization {
    type Answer = TenantAnswer;

    fn name(&self) -> String {
        format!("organization {}", self.id)
    }

    fn path(&self) -> String {
        format!("/kernel/admin/tenants/{}/standing", self.id)
    }

    fn standing(answer: &TenantAnswer) -> &KernelStanding {
        &answer.standing
    }
}
