//! `farhold-kernel provider remove ISSUER --tenant ID`.

use serde_json::json;

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::cli::{client::Ask, session::Session};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The provider's issuer, as provider list shows it
    issuer: String,
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let path = format!("/kernel/admin/tenants/{}/identity-providers", self.tenant);
        session.door()?.call(Ask::delete(path).with("issuer", Some(&self.issuer)))?;
        if session.json() {
            return stdout::json(&json!({ "removed": self.issuer }));
        }
        let issuer = text::plain(&self.issuer);
        stdout::write(format!("{issuer} vouches for {} no more.\n", self.tenant).as_bytes())
    }
}
