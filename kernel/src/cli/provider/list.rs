//! `farhold-kernel provider list --tenant ID`.

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::{ProviderAnswer, ProvidersAnswer},
    cli::{client::Ask, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get(format!("/kernel/admin/tenants/{}/identity-providers", self.tenant));
        let answer: ProvidersAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        let heads = ["NAME", "ISSUER", "AUDIENCE", "KEYS", "MAPPED GROUPS"];
        stdout::write(text::table(&heads, answer.providers.iter().map(row)).as_bytes())
    }
}

fn row(provider: &ProviderAnswer) -> Vec<String> {
    let keys = provider.jwks.get("keys").and_then(|keys| keys.as_array()).map_or(0, Vec::len);
    let groups = provider.role_map.as_ref().map_or(0, |map| map.roles.len());
    vec![
        text::plain(&provider.name),
        text::plain(&provider.issuer),
        text::plain(&provider.audience),
        keys.to_string(),
        groups.to_string(),
    ]
}
