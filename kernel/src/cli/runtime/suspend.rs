//! `farhold-kernel runtime suspend ID`.

use std::collections::BTreeSet;

use farhold_contract::{
    call::heartbeat::KernelStatus,
    id::{RuntimeId, TenantId},
};

use crate::{
    admin::answer::RuntimeAnswer,
    cli::{session::Session, standing, stdout},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The runtime
    id: RuntimeId,
    /// The organization it works for
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let path = super::standing_path(self.tenant, self.id);
        let held: RuntimeAnswer =
            standing::put(session, path, KernelStatus::Suspended, BTreeSet::new())?;
        if session.json() {
            return stdout::json(&held);
        }
        let standing = standing::words(&held.standing);
        stdout::write(format!("The runtime {} is {standing}.\n", self.id).as_bytes())
    }
}
