//! The runtime whose standing is set.

use farhold_contract::{
    call::heartbeat::KernelStanding,
    id::{RuntimeId, TenantId},
};

use crate::{admin::answer::RuntimeAnswer, cli::standing::Subject};

#[derive(clap::Args)]
pub(in crate::cli) struct Runtime {
    /// The runtime
    id: RuntimeId,
    /// The organization it works for
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

impl Subject for Runtime {
    type Answer = RuntimeAnswer;

    fn name(&self) -> String {
        format!("runtime {}", self.id)
    }

    fn path(&self) -> String {
        format!("/kernel/admin/tenants/{}/runtimes/{}/standing", self.tenant, self.id)
    }

    fn standing(answer: &RuntimeAnswer) -> &KernelStanding {
        &answer.standing
    }
}
