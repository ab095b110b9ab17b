//! `farhold fingerprint explain`: how licenses hang on the machine.

use farhold_terminal::{stdout, text};

use super::{show, values::Values};
use crate::{
    admin::{
        answer::fingerprint::{BoundAnswer, FingerprintAnswer},
        client::Ask,
    },
    cli::session::Session,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    values: Values,
}

impl Args {
    pub(in crate::cli) fn act(self, session: &Session) -> anyhow::Result<()> {
        let values = self.values.read(session)?;
        let answer: FingerprintAnswer = session.door()?.json(Ask::get("/admin/fingerprint"))?;
        if session.json() {
            return stdout::json(&answer);
        }
        let mut told = show::components(&answer, &values);
        told.push('\n');
        if answer.licenses.is_empty() {
            told.push_str("No license is bound to components of this machine.\n");
        }
        for license in &answer.licenses {
            told.push_str(&bound(license, &answer));
        }
        told.push('\n');
        told.push_str(&show::environment(&answer));
        stdout::write(told.as_bytes())
    }
}

fn bound(license: &BoundAnswer, answer: &FingerprintAnswer) -> String {
    let remembered = match license.remembered.len() {
        0 => String::new(),
        some => format!(", {some} of them remembered and not read"),
    };
    let mut told = format!(
        "{}, license {} serial {}: {} of {} hold{remembered}, {} needed: {}\n",
        text::plain(&license.product),
        license.license_id,
        license.serial,
        license.holding,
        license.components.len(),
        license.require,
        if license.holds { "it holds" } else { "it does not hold" },
    );
    let rows = license.components.iter().map(|(name, state)| {
        let since = since(name, state, license, answer);
        vec![format!("  {}", text::plain(name)), text::plain(state), since]
    });
    told.push_str(&text::columns(&rows.collect::<Vec<_>>()));
    told.push_str(&format!("  {}\n", text::plain(&license.next_change)));
    told
}

/// Since when a component of a binding is as it is.
fn since(name: &str, state: &str, license: &BoundAnswer, answer: &FingerprintAnswer) -> String {
    let here = license.renamed.get(name).map_or(name, String::as_str);
    let known = answer.components.iter().find(|component| component.name == here);
    let at = |at| text::moment(at, answer.looked_at);
    match (state, license.remembered.get(name)) {
        ("unknown", Some(&since)) => {
            format!("not read since {}: what was read last counts", at(since))
        }
        ("unknown", None) => "never read here: it does not count".to_owned(),
        ("changed", _) => match known.map(|known| (known.changed_at, known.first_seen)) {
            Some((Some(changed), _)) => format!("since {}", at(changed)),
            Some((None, Some(first))) => format!("another since it was seen first, {}", at(first)),
            Some((None, None)) | None => "this machine has none of that name".to_owned(),
        },
        _ if here != name => format!("as {}", text::plain(here)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_component_says_how_it_is_since_when_and_what_the_next_change_would_do() {
        let answer: FingerprintAnswer = serde_json::from_value(json!({
            "looked_at": "2027-01-15T08:00:00Z",
            "components": [
                {"name": "disk.root", "state": "unreadable", "hash": "00",
                 "first_seen": "2026-01-01T00:00:00Z", "unread_since": "2027-01-05T08:00:00Z"},
                {"name": "machine_id", "state": "read", "hash": "01",
                 "first_seen": "2026-01-01T00:00:00Z", "changed_at": "2027-01-13T08:00:00Z"},
                {"name": "dmi_product_uuid", "state": "read", "hash": "02",
                 "first_seen": "2027-01-12T08:00:00Z"},
                {"name": "nic.enp1s0", "state": "read", "hash": "03",
                 "first_seen": "2026-01-01T00:00:00Z"},
            ],
            "environment": {"kind": "bare_metal", "signs": []},
            "recommended": {"binding": "device_key", "why": "", "template": ""},
            "licenses": [{
                "tenant_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f",
                "product": "lms",
                "license_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e40",
                "serial": 4,
                "require": 2, "holding": 2, "read": 1, "holds": true, "bears": 0,
                "components": {
                    "cloud_instance_id": "changed", "cluster_id": "unknown",
                    "disk.root": "unknown", "dmi_product_uuid": "changed",
                    "machine_id": "changed", "nic.eth0": "same",
                },
                "remembered": {"disk.root": "2027-01-05T08:00:00Z"},
                "renamed": {"nic.eth0": "nic.enp1s0"},
                "next_change": "The next change ends it.",
            }],
        }))
        .unwrap();
        let told = bound(&answer.licenses[0], &answer);
        let lines: Vec<String> = told
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines,
            [
                "lms, license 01939b6e-3c5f-7a31-8b53-0f6f1c2d3e40 serial 4: 2 of 6 hold, 1 of them \
                 remembered and not read, 2 needed: it holds",
                "cloud_instance_id changed this machine has none of that name",
                "cluster_id unknown never read here: it does not count",
                "disk.root unknown not read since 2027-01-05T08:00:00Z (10 days ago): what was read \
                 last counts",
                "dmi_product_uuid changed another since it was seen first, 2027-01-12T08:00:00Z (3 \
                 days ago)",
                "machine_id changed since 2027-01-13T08:00:00Z (2 days ago)",
                "nic.eth0 same as nic.enp1s0",
                "The next change ends it.",
            ]
        );
        let table = show::components(&answer, &std::collections::BTreeMap::new());
        assert!(table.contains("NOT READ SINCE"), "{table}");
        assert!(table.contains("requests and heartbeats say so"), "{table}");
    }
}
