//! `farhold-kernel tenant create NAME`.

use clap::ValueEnum;

use farhold_contract::{id::TenantId, model::TenantType};
use farhold_terminal::stdout;

use crate::{
    admin::answer::{TenantAnswer, TenantRequest},
    cli::{client::Ask, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// What people call it
    name: String,
    /// What kind of organization it is
    #[arg(long = "type", value_enum, default_value_t = Kind::Company)]
    kind: Kind,
    /// Its id, where licenses name one already
    #[arg(long, value_name = "UUID")]
    id: Option<TenantId>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Individual,
    Company,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let kind = match self.kind {
            Kind::Individual => TenantType::Individual,
            Kind::Company => TenantType::Company,
        };
        let question = TenantRequest { tenant_id: self.id, name: self.name, kind, policies: None };
        let ask = Ask::post("/kernel/admin/tenants").json(&question)?;
        let tenant: TenantAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&tenant);
        }
        stdout::write(format!("Created organization {}.\n", tenant.tenant_id).as_bytes())
    }
}
