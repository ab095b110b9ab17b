//! `farhold-kernel dead-letters list --tenant ID`.

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::{DeadLetterAnswer, DeadLettersAnswer},
    cli::{client::Ask, pages, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let path = format!("/kernel/admin/tenants/{}/dead-letters", self.tenant);
        let answer: DeadLettersAnswer = pages::all(&session.door()?, || Ask::get(&path))?;
        if session.json() {
            return stdout::json(&answer);
        }
        let heads = ["RECEIVED", "AGENT", "SEQ", "CODE", "DETAIL"];
        stdout::write(text::table(&heads, answer.dead_letters.iter().map(row)).as_bytes())
    }
}

fn row(letter: &DeadLetterAnswer) -> Vec<String> {
    vec![
        letter.received_at.to_string(),
        text::or_dash(letter.agent_id),
        letter.seq.to_string(),
        letter.code.to_string(),
        text::plain(&letter.detail),
    ]
}
