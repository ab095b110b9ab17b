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

const HEADS: [&str; 7] = ["LICENSE", "SERIAL", "PRODUCT", "BEGINS", "ENDS", "STANDS", "SENT TO"];

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = Ask::get(format!("/kernel/admin/tenants/{}/licenses", self.tenant));
        let answer: LicensesAnswer = session.door()?.json(ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        stdout::write(described(&answer).as_bytes())
    }
}

fn described(answer: &LicensesAnswer) -> String {
    let row = |license| row(license, answer.agents);
    let mut told = text::table(&HEADS, answer.licenses.iter().map(row));
    for license in answer.licenses.iter().filter(|license| license.in_ledger == Some(false)) {
        let LicenseAnswer { license_id, serial, .. } = license;
        told.push_str(&format!("Not in the ledger: license {license_id} serial {serial}\n"));
    }
    told
}

fn row(license: &LicenseAnswer, agents: u64) -> Vec<String> {
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
        sent_to(license, agents),
    ]
}

/// How many of the organization's sites get it, or why none does.
fn sent_to(license: &LicenseAnswer, agents: u64) -> String {
    match (license.held_back, license.sent_to, license.bound_to.as_str()) {
        (Some(why), ..) => format!("no site: {}", why.sentence()),
        (None, 0, "device_key") => "no site has the device key it is bound to".to_owned(),
        (None, 0, "fingerprint") => "no site has reported the machine it is bound to".to_owned(),
        (None, sites, _) => format!("{sites} of {}", text::count(agents, "site")),
    }
}
