//! `farhold-kernel runtime-token create --tenant ID --type TYPE`.

use std::path::PathBuf;

use serde_json::json;

use farhold_contract::{id::TenantId, model::RuntimeType};
use farhold_terminal::{argument::runtime_type, output::vacant, stderr, stdout};

use crate::{
    admin::answer::{RuntimeTokenCreated, RuntimeTokenRequest},
    cli::{client::Ask, output, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
    /// The type of runtime it is for
    #[arg(long = "type", value_name = "TYPE", value_parser = runtime_type())]
    runtime_type: RuntimeType,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// Write the token to this new file of mode 0600 instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        // Asked first: a token that can't be handed over is one more to revoke.
        self.out.as_deref().map_or(Ok(()), vacant)?;
        let path = format!("/kernel/admin/tenants/{}/runtime-tokens", self.tenant);
        let question = RuntimeTokenRequest { runtime_type: self.runtime_type, name: self.name };
        let door = session.door()?;
        let created: RuntimeTokenCreated = door.json(Ask::post(&path).json(&question)?)?;
        let token_id = created.token_id;
        let handed_over = match &self.out {
            Some(out) => output::write(out, &created.token).map_err(Into::into),
            None if session.json() => return stdout::json(&created),
            None => {
                stderr::write(format!("Token {token_id}; it is not shown again:\n"));
                stdout::write(format!("{}\n", created.token).as_bytes())
            }
        };
        handed_over.or_else(|error| {
            output::take_back(&door, &format!("{path}/{token_id}"), token_id, error)
        })?;
        match &self.out {
            Some(out) if session.json() => {
                stdout::json(&json!({ "token_id": token_id, "out": out }))
            }
            Some(out) => {
                stderr::write(format!("Token {token_id} is in {}.\n", out.display()));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
