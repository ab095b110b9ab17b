//! `farhold-kernel agent list [--tenant ID]`.

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::{AgentAnswer, AgentsAnswer},
    cli::{client::Ask, pages, session::Session, standing},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// Only those of this organization
    #[arg(long, value_name = "UUID")]
    tenant: Option<TenantId>,
}

const HEADS: [&str; 5] = ["AGENT", "TENANT", "VERSION", "HEARD", "STANDING"];

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = || Ask::get("/kernel/admin/agents").with("tenant_id", self.tenant);
        let answer: AgentsAnswer = pages::all(&session.door()?, ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(text::table(&HEADS, answer.agents.iter().map(row)).as_bytes())
    }
}

fn row(agent: &AgentAnswer) -> Vec<String> {
    let others = agent.tenants.len().saturating_sub(1);
    let own = text::or_dash(agent.tenants.first());
    vec![
        agent.runtime_id.to_string(),
        if others == 0 { own } else { format!("{own} and {others} more") },
        text::plain(&agent.agent_version),
        text::or_dash(agent.heard_at),
        standing::words(&agent.standing),
    ]
}
