//! `farhold token create --type TYPE`.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;

use farhold_contract::{id::TenantId, model::RuntimeType};
use farhold_keys::write_secret;
use farhold_terminal::{argument::runtime_type, stderr, stdout};

use crate::{
    admin::{
        answer::{TokenCreated, TokenRequest},
        client::{AdminDoor, Ask},
    },
    cli::{output::check_path, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The type of runtime it is for
    #[arg(long = "type", value_name = "TYPE", value_parser = runtime_type())]
    runtime_type: RuntimeType,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// The organization, where the site serves several
    #[arg(long, value_name = "UUID")]
    tenant: Option<TenantId>,
    /// Write the token to this new file of mode 0600 instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        // Asked first: a token that can't be handed over is one more to revoke.
        if let Some(out) = &self.out {
            check_path(out, &session.config()?)?;
        }
        let question = TokenRequest {
            runtime_type: self.runtime_type,
            name: self.name.clone(),
            tenant_id: self.tenant,
        };
        let door = session.door_making_state()?;
        let ask = Ask::post("/admin/tokens");
        let created: TokenCreated =
            door.json(ask.body("application/json", serde_json::to_vec(&question)?))?;
        self.hand_over(&created, session).or_else(|error| take_back(&door, &created, error))
    }

    fn hand_over(&self, created: &TokenCreated, session: &Session) -> anyhow::Result<()> {
        let Some(out) = &self.out else {
            if session.json() {
                return stdout::json(created);
            }
            stderr::write(format!("Token {}; it is not shown again:\n", created.token_id));
            return stdout::write(format!("{}\n", created.token).as_bytes());
        };
        write_secret(out, created.token.as_bytes())?;
        if session.json() {
            return stdout::json(&json!({ "token_id": created.token_id, "out": out }));
        }
        stderr::write(format!("Token {} is in {}.\n", created.token_id, out.display()));
        Ok(())
    }
}

/// Nobody has it, so nobody shall be able to use it.
fn take_back(door: &AdminDoor, created: &TokenCreated, error: anyhow::Error) -> anyhow::Result<()> {
    match door.call(Ask::delete(format!("/admin/tokens/{}", created.token_id))) {
        Ok(_) => Err(error),
        Err(second) => Err(error).with_context(|| {
            format!("token {} was created and can't be revoked ({second:#})", created.token_id)
        }),
    }
}
