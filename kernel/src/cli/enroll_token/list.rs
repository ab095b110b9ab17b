//! `farhold-kernel enroll-token list`.

use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::{EnrollTokenAnswer, EnrollTokensAnswer},
    cli::{client::Ask, pages, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

const HEADS: [&str; 5] = ["TOKEN", "TENANTS", "EXPIRES", "AGENT", "REVOKED"];

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let answer: EnrollTokensAnswer =
            pages::all(&session.door()?, || Ask::get("/kernel/admin/enroll-tokens"))?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(text::table(&HEADS, answer.tokens.iter().map(row)).as_bytes())
    }
}

fn row(token: &EnrollTokenAnswer) -> Vec<String> {
    let tenants: Vec<String> = token.tenants.iter().map(ToString::to_string).collect();
    vec![
        token.token_id.to_string(),
        tenants.join(","),
        token.expires_at.to_string(),
        text::or_dash(token.runtime_id),
        text::or_dash(token.revoked_at),
    ]
}
