//! `farhold-kernel status`: how the Kernel is.

use farhold_terminal::{stdout, text};

use super::{client::Ask, session::Session};
use crate::admin::answer::StatusAnswer;

#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let status: StatusAnswer = session.door()?.json(Ask::get("/kernel/admin/status"))?;
        if session.json() {
            return stdout::json(&status);
        }
        stdout::write(described(&status).as_bytes())
    }
}

fn described(status: &StatusAnswer) -> String {
    let trust = status.trust.as_ref().map_or_else(
        || "none: farhold-kernel trust install FILE --sha256 HEX".to_owned(),
        |trust| format!("version {} of {}", trust.version, text::plain(&trust.issuer_name)),
    );
    let spoken: Vec<&str> = status.contract_versions.iter().map(|v| v.as_str()).collect();
    let counts = &status.counts;
    let head = format!(
        "farhold-kernel {}, contract {}\n",
        text::plain(&status.version),
        spoken.join(" and ")
    );
    head + &text::facts(&[
        ("for agents", text::plain(&status.url)),
        ("CA sha256", status.ca_sha256.to_string()),
        ("receipt key", text::plain(&status.receipt_key)),
        ("trust root", trust),
        ("own tenant", status.internal_tenant_id.to_string()),
        ("organizations", counts.tenants.to_string()),
        ("agents", counts.agents.to_string()),
        ("runtimes", counts.runtimes.to_string()),
        ("licenses", counts.licenses.to_string()),
        ("open alerts", counts.open_alerts.to_string()),
        ("own audit chain", format!("record {}, head {}", status.chain.seq, status.chain.head)),
        ("clock", status.now.to_string()),
    ])
}
