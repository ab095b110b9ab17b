//! `machine-binding`: licenses bound to this machine's components hold, and with room for change.

use crate::admin::answer::fingerprint::{BoundAnswer, FingerprintAnswer};

use super::{Site, Verdict, told};

pub(super) const ID: &str = "machine-binding";

const REHOST: &str = "Make a request and have the vendor answer it: farhold request.";
const EXPLAIN: &str = "See what has changed, and plan a rehost: farhold fingerprint explain.";
const READABLE: &str =
    "See what can't be read, and let the agent read it: farhold fingerprint explain.";

pub(super) fn examine(site: &Site) -> Verdict {
    match site.fingerprint() {
        Ok(answer) => judge(answer),
        Err(error) => Verdict::failed(told(error), "Follow the next step of agent-running."),
    }
}

fn judge(answer: &FingerprintAnswer) -> Verdict {
    if answer.licenses.is_empty() {
        return Verdict::ok("no license is bound to components of this machine");
    }
    let details: Vec<String> = answer.licenses.iter().map(detail).collect();
    let detail = details.join("; ");
    let changed =
        |license: &BoundAnswer| license.components.values().any(|state| state == "changed");
    if answer.licenses.iter().any(|license| !license.holds) {
        Verdict::failed(detail, REHOST)
    } else if answer.licenses.iter().any(changed) {
        Verdict::warning(detail, EXPLAIN)
    } else if let Some(license) = answer.licenses.iter().find(|license| is_by_memory(license)) {
        let unread = license.components.len() - same(license);
        let since = license.remembered.values().min();
        let since = since.map_or_else(String::new, |since| format!(", the first since {since}"));
        let detail = format!(
            "{detail}; {} holds by what was read last alone: {unread} can't be read now{since}",
            license.product
        );
        Verdict::warning(detail, READABLE)
    } else {
        Verdict::ok(detail)
    }
}

/// What can't be read has not changed, and proves nothing either: it is the same on a copy of this
/// machine's state elsewhere.
fn is_by_memory(license: &BoundAnswer) -> bool {
    (same(license) as u64) < license.require
}

fn same(license: &BoundAnswer) -> usize {
    license.components.values().filter(|state| *state == "same").count()
}

fn detail(license: &BoundAnswer) -> String {
    format!(
        "{}: {} of {} components hold, {} are needed",
        license.product,
        license.holding,
        license.components.len(),
        license.require
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::Outcome;

    fn verdict(holding: u64, states: &[(&str, &str)]) -> Verdict {
        let components: serde_json::Map<_, _> =
            states.iter().map(|&(name, state)| (name.to_owned(), state.into())).collect();
        judge(
            &serde_json::from_value(json!({
                "looked_at": "2027-01-15T08:00:00Z",
                "components": [],
                "environment": {"kind": "bare_metal", "signs": []},
                "recommended": {"binding": "device_key", "why": "", "template": ""},
                "licenses": [{
                    "tenant_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f",
                    "product": "lms",
                    "license_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e40",
                    "serial": 1,
                    "require": 2,
                    "holding": holding,
                    "holds": holding >= 2,
                    "bears": holding.saturating_sub(2),
                    "components": components,
                    "next_change": "",
                }],
            }))
            .unwrap(),
        )
    }

    #[test]
    fn a_binding_that_holds_by_what_was_read_last_alone_is_a_warning() {
        let unread = [("disk.root", "same"), ("machine_id", "unknown"), ("nic.eth0", "unknown")];
        assert_eq!(
            verdict(3, &unread),
            Verdict::warning(
                "lms: 3 of 3 components hold, 2 are needed; lms holds by what was read last \
                 alone: 2 can't be read now",
                READABLE
            )
        );
    }

    #[test]
    fn drift_is_a_warning_and_a_lost_binding_a_failure() {
        let same = [("disk.root", "same"), ("machine_id", "unknown"), ("nic.eth0", "same")];
        assert_eq!(
            verdict(3, &same),
            Verdict::ok("lms: 3 of 3 components hold, 2 are needed"),
            "what can't be read has not changed"
        );
        let drifted = [("disk.root", "same"), ("machine_id", "same"), ("nic.eth0", "changed")];
        assert_eq!(verdict(2, &drifted).outcome, Outcome::Warning);
        let lost = [("disk.root", "same"), ("machine_id", "changed"), ("nic.eth0", "changed")];
        assert_eq!(verdict(1, &lost).outcome, Outcome::Failed);
    }
}
