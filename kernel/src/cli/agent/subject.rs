//! The agent whose standing is set.

use farhold_contract::{call::heartbeat::KernelStanding, id::RuntimeId};

use crate::{admin::answer::AgentAnswer, cli::standing::Subject};

#[derive(clap::Args)]
pub(in crate::cli) struct Agent {
    /// The agent
    id: RuntimeId,
}

impl Subject for Agent {
    type Answer = AgentAnswer;

    fn name(&self) -> String {
        format!("agent {}", self.id)
    }

    fn path(&self) -> String {
        format!("/kernel/admin/agents/{}/standing", self.id)
    }

    fn standing(answer: &AgentAnswer) -> &KernelStanding {
        &answer.standing
    }
}
