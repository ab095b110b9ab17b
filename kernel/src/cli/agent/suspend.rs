//! `farhold-kernel agent suspend ID`.

use std::collections::BTreeSet;

use farhold_contract::{call::heartbeat::KernelStatus, id::RuntimeId};

use crate::{
    admin::answer::AgentAnswer,
    cli::{session::Session, standing, stdout},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The agent
    id: RuntimeId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let path = format!("/kernel/admin/agents/{}/standing", self.id);
        let held: AgentAnswer =
            standing::put(session, path, KernelStatus::Suspended, BTreeSet::new())?;
        if session.json() {
            return stdout::json(&held);
        }
        let standing = standing::words(&held.standing);
        stdout::write(format!("The agent {} is {standing}.\n", self.id).as_bytes())
    }
}
