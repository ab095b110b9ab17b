//! `farhold-kernel license list --tenant ID`.

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::{LicenseAnswer, LicensesAnswer},
    cli::{client::Ask, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// The organization
    #[arg(long, value_name = "UUID")]
    tenant: TenantId,
}

const HEADS: [&str; 6] = ["LICENSE", "SERIAL", "PRODUCT", "BEGINS", "ENDS", "STANDS"];

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get(format!("/kernel/admin/tenants/{}/licenses", self.tenant));
        let answer: LicensesAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(text::table(&HEADS, answer.licenses.iter().map(row)).as_bytes())
    }
}

fn row(license: &LicenseAnswer) -> Vec<String> {
    let stands = match (license.revoked, license.in_force) {
        (true, _) => "revoked",
        (false, true) => "in force",
        (false, false) => "not in force",
    };
    vec![
        license.license_id.to_string(),
        license.serial.to_string(),
        text::plain(&license.product),
        license.begins.to_string(),
        text::or_dash(license.ends),
        stands.to_owned(),
    ]
}
