//! `farhold-kernel tenant limit ID --deny FEATURE`.

use farhold_contract::{call::heartbeat::KernelStatus, id::TenantId};

use crate::{
    admin::answer::TenantAnswer,
    cli::{session::Session, standing, stdout},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The organization
    id: TenantId,
    /// Deny this feature; may be repeated
    #[arg(long, value_name = "FEATURE", required = true)]
    deny: Vec<String>,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let path = format!("/kernel/admin/tenants/{}/standing", self.id);
        let held: TenantAnswer =
            standing::put(session, path, KernelStatus::Limited, self.deny.into_iter().collect())?;
        if session.json() {
            return stdout::json(&held);
        }
        let standing = standing::words(&held.standing);
        stdout::write(format!("The organization {} is {standing}.\n", self.id).as_bytes())
    }
}
