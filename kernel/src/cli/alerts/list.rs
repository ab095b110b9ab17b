//! `farhold-kernel alerts list [--tenant ID] [--open]`.

use farhold_contract::id::TenantId;
use farhold_terminal::{stdout, text};

use crate::{
    admin::answer::{AlertAnswer, AlertsAnswer},
    cli::{client::Ask, pages, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// Only those of this organization
    #[arg(long, value_name = "UUID")]
    tenant: Option<TenantId>,
    /// Only those that nobody has taken on
    #[arg(long)]
    open: bool,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let ask = || {
            let ask = Ask::get("/kernel/admin/alerts").with("tenant_id", self.tenant);
            ask.with("open", Some(self.open))
        };
        let answer: AlertsAnswer = pages::all(&session.door()?, ask)?;
        if session.json() {
            return stdout::json(&answer);
        }
        if answer.alerts.is_empty() {
            return stdout::write(b"There is no alert.\n");
        }
        let each: Vec<String> = answer.alerts.iter().map(described).collect();
        stdout::write(each.join("\n").as_bytes())
    }
}

fn described(alert: &AlertAnswer) -> String {
    let taken_on = text::or_dash(alert.acknowledged_at);
    let facts = text::facts(&[
        ("organization", alert.tenant_id.to_string()),
        ("agent", text::or_dash(alert.agent_id)),
        ("raised", format!("{}, {}", alert.raised_at, text::count(alert.count, "time"))),
        ("last", alert.last_at.to_string()),
        ("seen", text::plain(&alert.detail.to_string())),
        ("taken on", taken_on),
    ]);
    let told = [text::plain(&alert.meaning), text::plain(&alert.action)];
    format!("{}: {}\n  {}\n  try: {}\n{facts}", alert.alert_id, alert.code, told[0], told[1])
}
