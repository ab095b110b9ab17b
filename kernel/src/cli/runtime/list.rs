//! `farhold-kernel runtime list --tenant ID`.

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::{RuntimeAnswer, RuntimesAnswer},
    cli::{client::Ask, pages, session::Session, standing},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

const HEADS: [&str; 6] = ["RUNTIME", "TYPE", "VERSION", "AGENT", "HEARD", "STANDING"];

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let path = format!("/kernel/admin/tenants/{}/runtimes", self.tenant);
        let answer: RuntimesAnswer = pages::all(&session.door()?, || Ask::get(&path))?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(text::table(&HEADS, answer.runtimes.iter().map(row)).as_bytes())
    }
}

fn row(runtime: &RuntimeAnswer) -> Vec<String> {
    vec![
        runtime.runtime_id.to_string(),
        runtime.kind.to_string(),
        text::plain(&runtime.version),
        text::or_dash(runtime.agent_id),
        text::or_dash(runtime.heard_at),
        standing::words(&runtime.standing),
    ]
}
