//! `farhold license show`: every license, and one timeline of what will be in force when.

use farhold_contract::Timestamp;
use farhold_terminal::{stdout, text};

use super::timeline;
use crate::{
    admin::{
        answer::{LicenseAnswer, LicensesAnswer},
        client::Ask,
    },
    cli::{decision::phase, session::Session},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let answer: LicensesAnswer = session.door()?.json(Ask::get("/admin/licenses"))?;
        if session.json() {
            return stdout::json(&answer);
        }
        if answer.licenses.is_empty() {
            return stdout::write(b"No license is stored. Import one: farhold import FILE.\n");
        }
        let each: Vec<String> =
            answer.licenses.iter().map(|license| described(license, answer.now)).collect();
        let mut told = each.join("\n");
        told.push_str("\nWhat will be in force when:\n");
        told.push_str(&now(&answer));
        told.push_str(&timeline::described(&answer.timeline, answer.now));
        stdout::write(told.as_bytes())
    }
}

/// The first entry: what decides today.
fn now(answer: &LicensesAnswer) -> String {
    let deciding = answer.licenses.iter().filter(|license| license.in_force).map(|license| {
        let phase = phase(&license.phase);
        format!("{} serial {}, {phase}", text::plain(&license.product), license.serial)
    });
    let deciding: Vec<String> = deciding.collect();
    let what = if deciding.is_empty() { "nothing".to_owned() } else { deciding.join("; ") };
    format!("  {} (now)\n    {what}\n", answer.now)
}

fn described(license: &LicenseAnswer, now: Timestamp) -> String {
    let head = format!(
        "{}: {}, {}\n",
        text::plain(&license.product),
        phase(&license.phase),
        if license.in_force { "deciding" } else { "not deciding" },
    );
    let features: Vec<String> = license.features.iter().map(|name| text::plain(name)).collect();
    let mut facts = vec![
        ("license", format!("{} serial {}", license.license_id, license.serial)),
        ("issued to", format!("{} ({})", text::plain(&license.issued_to), license.tenant_id)),
        ("sha256", license.sha256.to_string()),
        ("begins", text::moment(license.begins, now)),
    ];
    let ends = license.ends.map_or_else(|| "never".to_owned(), |at| text::moment(at, now));
    facts.push(("ends", ends));
    let rungs = [("grace until", license.grace_ends), ("stops", license.stops)];
    facts.extend(rungs.into_iter().filter_map(|(name, at)| Some((name, text::moment(at?, now)))));
    if let Some(until) = license.in_force_until {
        facts.push(("replaced", text::moment(until, now)));
    }
    facts.push(("features", features.join(", ")));
    if let Some(why) = &license.not_admitted {
        facts.push(("not admitted", text::plain(why)));
    }
    head + &text::facts(&facts)
}
