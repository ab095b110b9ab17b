//! `farhold-kernel tenant list`.

use crate::{
    admin::answer::TenantsAnswer,
    cli::{client::Ask, pages, session::Session, standing, stdout, text},
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
        let mut rows = vec![["TENANT", "NAME", "TYPE", "STANDING"].map(str::to_owned).to_vec()];
        rows.extend(answer.tenants.iter().map(|tenant| {
            vec![
                tenant.tenant_id.to_string(),
                text::or_dash(tenant.name.as_deref().map(text::plain)),
                super::kind(tenant.kind).to_owned(),
                standing::words(&tenant.standing),
            ]
        }));
        stdout::write(text::columns(&rows).as_bytes())
    }
}
