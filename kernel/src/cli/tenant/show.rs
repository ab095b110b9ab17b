//! `farhold-kernel tenant show ID`.

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::TenantAnswer,
    cli::{client::Ask, session::Session, standing},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The organization
    id: TenantId,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get(format!("/kernel/admin/tenants/{}", self.id));
        let tenant: TenantAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&tenant);
        }
        let residency = tenant.policies.data_residency.as_deref();
        let mut facts = vec![
            ("organization", tenant.tenant_id.to_string()),
            ("type", super::kind(tenant.kind).to_owned()),
            ("standing", standing::words(&tenant.standing)),
            ("created", tenant.created_at.to_string()),
        ];
        facts.extend(residency.map(|place| ("data stays in", text::plain(place))));
        let name = text::or_dash(tenant.name.as_deref().map(text::plain));
        let told = format!("{name}\n{}", text::facts(&facts));
        stdout::write(told.as_bytes())
    }
}
