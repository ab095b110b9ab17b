//! `farhold-kernel runtime-token list --tenant ID`.

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::{RuntimeTokenAnswer, RuntimeTokensAnswer},
    cli::{client::Ask, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

const HEADS: [&str; 6] = ["TOKEN", "TYPE", "NAME", "RUNTIME", "CREATED", "REVOKED"];

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get(format!("/kernel/admin/tenants/{}/runtime-tokens", self.tenant));
        let answer: RuntimeTokensAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(text::table(&HEADS, answer.tokens.iter().map(row)).as_bytes())
    }
}

fn row(token: &RuntimeTokenAnswer) -> Vec<String> {
    vec![
        token.token_id.to_string(),
        token.runtime_type.to_string(),
        text::or_dash(token.name.as_deref().map(text::plain)),
        text::or_dash(token.runtime_id),
        token.created_at.to_string(),
        text::or_dash(token.revoked_at),
    ]
}
