//! `farhold license show`: every license, and one timeline of what will be in force when.

use farhold_contract::Timestamp;
use farhold_terminal::{stdout, text};

use super::timeline;
use crate::{
    admin::{
        answer::{BoundToAnswer, LicenseAnswer, LicensesAnswer},
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
    if let Some(sites) = license.sites {
        let modes: Vec<String> = license.modes.iter().map(|mode| text::plain(mode)).collect();
        let sites = text::count(sites, "site");
        facts.push(("for", format!("{sites}, {} ({})", modes.join(" or "), license.tenant_id)));
    }
    if let Some(bound) = &license.bound_to {
        facts.extend(bound_to(bound, now));
    }
    facts.push(("features", features.join(", ")));
    if let Some(why) = &license.not_admitted {
        facts.push(("not admitted", text::plain(why)));
    }
    head + &text::facts(&facts)
}

/// What it is bound to, and how this machine compares.
fn bound_to(bound: &BoundToAnswer, now: Timestamp) -> Vec<(&'static str, String)> {
    match (bound.kind.as_str(), &bound.device_key) {
        ("device_key", Some(key)) if bound.holds => {
            vec![("bound to", format!("this agent's device key, {key}"))]
        }
        ("device_key", Some(key)) => vec![(
            "bound to",
            format!(
                "another agent's device key, {key}: farhold request here, license-tool answer at the vendor"
            ),
        )],
        ("fingerprint", _) => {
            let whole = format!(
                "this machine: {} of {} components hold today, {} needed: {}",
                text::or_dash(bound.holding),
                bound.components.len(),
                text::or_dash(bound.require),
                if bound.holds { "it holds" } else { "it does not hold" },
            );
            let each = bound.components.iter().map(|(name, state)| {
                let since = bound
                    .remembered
                    .get(name)
                    .map(|&since| format!(", not read since {}", text::moment(since, now)));
                let since = since.unwrap_or_default();
                ("", format!("{} {}{since}", text::plain(name), text::plain(state)))
            });
            std::iter::once(("bound to", whole)).chain(each).collect()
        }
        _ => {
            vec![("bound to", "nothing: it holds on any machine of the organization's".to_owned())]
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(bound_to: Value) -> String {
        let license = serde_json::from_value(json!({
            "tenant_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f",
            "product": "lms",
            "license_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e40",
            "serial": 4,
            "sha256": "ab".repeat(32),
            "issued_to": "Example School",
            "in_force": true,
            "phase": "in_force",
            "begins": "2026-01-01T00:00:00Z",
            "modes": ["managed", "detached"],
            "sites": 2,
            "features": ["exams"],
            "bound_to": bound_to,
        }));
        let told = described(&license.unwrap(), "2027-01-15T08:00:00Z".parse().unwrap());
        told.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
            .collect()
    }

    #[test]
    fn a_license_says_for_whom_it_is_and_what_it_is_bound_to() {
        let nothing = told(json!({"kind": "nothing", "holds": true}));
        assert!(nothing.contains("bound to nothing: it holds on any machine"), "{nothing}");
        let sites = "for 2 sites, managed or detached (01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f)\n";
        assert!(nothing.contains(sites), "{nothing}");

        let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let device =
            |holds: bool| told(json!({"kind": "device_key", "holds": holds, "device_key": key}));
        assert!(device(true).contains(&format!("bound to this agent's device key, {key}\n")));
        let other = format!("bound to another agent's device key, {key}: farhold request here");
        assert!(device(false).contains(&other), "{}", device(false));
    }

    #[test]
    fn a_license_bound_to_components_says_todays_score_and_each_of_them() {
        let told = told(json!({
            "kind": "fingerprint",
            "holds": true,
            "require": 2,
            "holding": 2,
            "components": {"disk.root": "unknown", "machine_id": "same", "nic.eth0": "changed"},
            "remembered": {"disk.root": "2027-01-05T08:00:00Z"},
        }));
        for line in [
            "bound to this machine: 2 of 3 components hold today, 2 needed: it holds\n",
            "disk.root unknown, not read since 2027-01-05T08:00:00Z (10 days ago)\n",
            "machine_id same\n",
            "nic.eth0 changed\n",
        ] {
            assert!(told.contains(line), "{line}: {told}");
        }
    }
}
