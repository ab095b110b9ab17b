//! `farhold-kernel enroll-token revoke ID`.

use serde_json::json;

use farhold_contract::id::TokenId;
use farhold_terminal::stdout;

use crate::cli::{client::Ask, session::Session};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The token's id, as enroll-token list shows it; never the token itself
    id: TokenId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        session.door()?.call(Ask::delete(format!("/kernel/admin/enroll-tokens/{}", self.id)))?;
        if session.json() {
            return stdout::json(&json!({ "revoked": self.id }));
        }
        stdout::write(format!("Revoked token {}.\n", self.id).as_bytes())
    }
}
