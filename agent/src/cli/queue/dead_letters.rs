//! `farhold queue dead-letters`: events whose content the Kernel refused.

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::{
    admin::{answer::DeadLettersAnswer, client::Ask},
    cli::session::Session,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// Only this organization's
    #[arg(long, value_name = "UUID")]
    tenant: Option<TenantId>,
    /// Begin after this record
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let tenant = self.tenant.map(|id| format!("&tenant_id={id}")).unwrap_or_default();
        let ask = Ask::get(format!("/admin/dead-letters?after={}{tenant}", self.after));
        let answer: DeadLettersAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        if answer.dead_letters.is_empty() {
            return stdout::write(b"None.\n");
        }
        let rows = answer.dead_letters.iter().map(|letter| {
            vec![
                letter.seq.to_string(),
                letter.refused_at.to_string(),
                letter.event_id.to_string(),
                text::plain(&letter.code),
                text::plain(&letter.detail),
            ]
        });
        let heads = ["RECORD", "REFUSED", "EVENT", "CODE", "WHY"];
        stdout::write(text::table(&heads, rows).as_bytes())
    }
}
