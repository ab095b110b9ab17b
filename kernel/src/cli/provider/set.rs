//! `farhold-kernel provider set FILE --tenant ID`.

use std::path::PathBuf;

use farhold_api::Limits;
use farhold_contract::{Code, id::TenantId};
use farhold_terminal::{input, stdout, text};

use crate::{
    admin::answer::ProviderAnswer,
    cli::{client::Ask, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The provider as JSON: name, provider, issuer, audience, jwks, and perhaps role_map and
    /// attributes; - for standard input
    file: PathBuf,
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let most = Limits::STANDARD.body_bytes;
        let provider = input::read(&self.file, most, Code::RequestTooLarge)?;
        let path = format!("/kernel/admin/tenants/{}/identity-providers", self.tenant);
        let ask = Ask::put(path).body("application/json", provider);
        let provider: ProviderAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&provider);
        }
        let (name, issuer) = (text::plain(&provider.name), text::plain(&provider.issuer));
        stdout::write(format!("{name} ({issuer}) vouches for {}.\n", self.tenant).as_bytes())
    }
}
