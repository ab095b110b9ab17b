//! `farhold status`: how the site is.

mod clock;

use farhold_terminal::{stdout, text};

use super::{queue, session::Session};
use crate::admin::{answer::StatusAnswer, client::Ask};

#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn act(self, session: &Session) -> anyhow::Result<()> {
        let status: StatusAnswer = session.door()?.json(Ask::get("/statusz"))?;
        if session.json() {
            return stdout::json(&status);
        }
        stdout::write(described(&status).as_bytes())
    }
}

fn described(status: &StatusAnswer) -> String {
    let now = status.clock.wall;
    let tenants: Vec<String> = status.tenants.iter().map(ToString::to_string).collect();
    let trust = status.trust.as_ref().map_or_else(
        || "none".to_owned(),
        |trust| {
            let issuer = text::plain(&trust.issuer_name);
            let ends = text::moment(trust.expires, status.clock.now);
            let verb = if trust.expires > status.clock.now { "ends" } else { "ENDED" };
            format!("version {} of {issuer}, {verb} {ends}", trust.version)
        },
    );
    let mut told = format!(
        "farhold {}, {}, {}\n",
        text::plain(&status.version),
        status.mode.as_deref().map_or_else(|| "no mode yet".to_owned(), text::plain),
        if status.ready { "ready" } else { "not ready: no verified bundle can answer" },
    );
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    told.push_str(&text::facts(&[
        ("organization", or_none(tenants.join(", "))),
        ("device key", text::plain(&status.device_key)),
        ("trust root", trust),
        ("running since", text::moment(status.started_at, now)),
        ("runtimes", status.runtimes.to_string()),
        ("audit queue", queue::summary(&status.queue, now)),
    ]));
    told.push_str("\nClock\n");
    told.push_str(&clock::described(&status.clock));
    if let Some(link) = &status.link {
        told.push('\n');
        let ago = |at: Option<farhold_contract::Timestamp>| {
            at.map_or_else(|| "not yet".to_owned(), |at| text::moment(at, now))
        };
        told.push_str(&text::facts(&[
            ("link", format!("{}, to {}", text::plain(&link.state), text::plain(&link.kernel))),
            ("agent", link.runtime_id.to_string()),
            ("heard", ago(link.heard_at)),
            ("bundle pulled", ago(link.pulled_at)),
            ("audit receipted", ago(link.pushed_at)),
            ("certificate ends", ago(link.certificate_ends)),
        ]));
    }
    if status.conditions.is_empty() {
        told.push_str("\nNothing is wrong.\n");
        return told;
    }
    for condition in &status.conditions {
        let severity = format!("{:?}", condition.severity).to_lowercase();
        let since = text::moment(condition.since, now);
        told.push_str(&format!(
            "\n{severity}: {} since {since}\n  {}\n  try: {}\n",
            condition.code.as_str(),
            text::plain(&condition.impact),
            text::plain(&condition.hint),
        ));
    }
    told
}
