//! `farhold-kernel runtime-token revoke ID --tenant ID`.

use serde_json::json;

use farhold_contract::id::{TenantId, TokenId};
use farhold_terminal::stdout;

use crate::cli::{client::Ask, session::Session};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The token's id, as runtime-token list shows it; never the token itself
    id: TokenId,
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let path = format!("/kernel/admin/tenants/{}/runtime-tokens/{}", self.tenant, self.id);
        session.door()?.call(Ask::delete(path))?;
        if session.json() {
            return stdout::json(&json!({ "revoked": self.id }));
        }
        stdout::write(format!("Revoked token {}.\n", self.id).as_bytes())
    }
}
