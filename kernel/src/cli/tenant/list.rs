//! `farhold-kernel tenant list`.

use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::TenantsAnswer,
    cli::{client::Ask, pages, session::Session, standing},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let answer: TenantsAnswer =
            pages::all(&session.door()?, || Ask::get("/kernel/admin/tenants"))?;
        if session.json() {
            return stdout::json(&answer);
        }
        let rows = answer.tenants.iter().map(|tenant| {
            vec![
                tenant.tenant_id.to_string(),
                text::or_dash(tenant.name.as_deref().map(text::plain)),
                super::kind(tenant.kind).to_owned(),
                standing::words(&tenant.standing),
            ]
        });
        let told = text::table(&["TENANT", "NAME", "TYPE", "STANDING"], rows);
        stdout::write(told.as_bytes())
    }
}
