//! `farhold status`: how the site is.

mod clock;

pub(super) use clock::counted_from;

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
    // Consequences are dated by the rule that decides; the link and its certificate live by the
    // system clock.
    let (now, wall) = (status.clock.now, status.clock.wall);
    let tenants: Vec<String> = status.tenants.iter().map(ToString::to_string).collect();
    let trust = status.trust.as_ref().map_or_else(
        || "none".to_owned(),
        |trust| {
            let issuer = text::plain(&trust.issuer_name);
            let ends = text::moment(trust.expires, now);
            let verb = if trust.expires > now { "ends" } else { "ENDED" };
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
            at.map_or_else(|| "not yet".to_owned(), |at| text::moment(at, wall))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_ends_is_dated_by_the_time_that_decides_and_that_is_said() {
        let status = json!({
            "version": "1", "mode": "detached", "tenants": [], "device_key": "k", "ready": true,
            "started_at": "2027-12-30T12:00:00Z",
            "conditions": [{
                "code": "clock_rollback", "severity": "warning", "impact": "i", "hint": "h",
                "since": "2027-12-30T12:00:00Z",
            }],
            "trust": {
                "issuer_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e01", "issuer_name": "A",
                "version": 1, "sha256": "00".repeat(32), "expires": "2027-12-31T12:00:00Z",
                "installed_version": 1,
            },
            "clock": {
                "wall": "2027-12-28T12:00:00Z", "mark": "2027-12-30T12:00:00Z",
                "floor": "2027-01-01T00:00:00Z", "now": "2027-12-30T12:00:00Z",
                "wall_is": "set_back", "rolled_back": true,
            },
            "queue": {
                "events": 1, "bytes": 1, "cap_bytes": 2, "oldest_at": "2027-12-29T12:00:00Z",
                "last_seq": 1, "acknowledged_seq": 0, "epoch": "e", "head": "00".repeat(32),
                "lost": {},
            },
            "runtimes": 0,
        });
        let told = described(&serde_json::from_value(status).unwrap());
        for words in [
            "ends 2027-12-31T12:00:00Z (in 1 day)",
            "2027-12-29T12:00:00Z (1 day ago)",
            "clock_rollback since 2027-12-30T12:00:00Z (now)",
            "counted from 2027-12-30T12:00:00Z, 2 days after what the system clock says",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}
