//! `farhold-kernel enroll-token create --tenant ID`.

use std::path::PathBuf;

use serde_json::json;

use farhold_contract::id::TenantId;
use farhold_terminal::{output::vacant, stderr, stdout};

use crate::{
    admin::answer::{EnrollTokenCreated, EnrollTokenRequest},
    cli::{client::Ask, output, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// An organization of the site; may be repeated, the first is the agent's own
    #[arg(long, value_name = "UUID", required = true)]
    tenant: Vec<TenantId>,
    /// Write the token to this new file of mode 0600 instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        // Asked first: a token that can't be handed over is one more to revoke.
        self.out.as_deref().map_or(Ok(()), vacant)?;
        let path = "/kernel/admin/enroll-tokens";
        let door = session.door()?;
        let ask = Ask::post(path).json(&EnrollTokenRequest { tenants: self.tenant })?;
        let created: EnrollTokenCreated = door.json(ask)?;
        let (token_id, ends) = (created.token_id, created.expires_at);
        let handed_over = match &self.out {
            Some(out) => output::write(out, &created.token).map_err(Into::into),
            None if session.json() => return stdout::json(&created),
            None => {
                stderr::write(format!(
                    "Token {token_id}, good until {ends}; it is not shown again:\n"
                ));
                stdout::write(format!("{}\n", created.token).as_bytes())
            }
        };
        handed_over.or_else(|error| {
            output::take_back(&door, &format!("{path}/{token_id}"), token_id, error)
        })?;
        match &self.out {
            Some(out) if session.json() => {
                stdout::json(&json!({ "token_id": token_id, "expires_at": ends, "out": out }))
            }
            Some(out) => {
                stderr::write(format!(
                    "Token {token_id}, good until {ends}, is in {}.\n",
                    out.display()
                ));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
