//! `farhold token list`.

use farhold_terminal::{stdout, text};

use crate::{
    admin::{
        answer::{TokenAnswer, TokensAnswer},
        client::Ask,
    },
    cli::session::Session,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

const HEADS: [&str; 6] = ["TOKEN", "TYPE", "NAME", "RUNTIME", "CREATED", "REVOKED"];

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let answer: TokensAnswer = session.door()?.json(Ask::get("/admin/tokens"))?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(text::table(&HEADS, answer.tokens.iter().map(row)).as_bytes())
    }
}

fn row(token: &TokenAnswer) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        token.token_id.to_string(),
        token.runtime_type.to_string(),
        or_dash(token.name.as_deref().map(text::plain)),
        or_dash(token.runtime_id.map(|id| id.to_string())),
        token.created_at.to_string(),
        or_dash(token.revoked_at.map(|at| at.to_string())),
    ]
}
