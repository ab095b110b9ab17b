//! `license-in-force`: at least one license lets products work, and for how long.

use farhold_contract::Timestamp;

use crate::admin::answer::{LicenseAnswer, LicensesAnswer};

use super::{Outcome, Site, Verdict, told};

pub(super) const ID: &str = "license-in-force";

const IMPORT: &str = "Import a license: farhold import FILE.";
const RENEW: &str = "Ask the vendor for the renewal and import it; importing works in any state.";

pub(super) fn examine(site: &Site) -> Verdict {
    match site.licenses() {
        Ok(answer) => judge(answer),
        Err(error) => Verdict::failed(told(error), "Follow the next step of agent-running."),
    }
}

fn judge(answer: &LicensesAnswer) -> Verdict {
    if answer.licenses.is_empty() {
        return Verdict::failed("no license is stored", IMPORT);
    }
    let deciding = || answer.licenses.iter().filter(|license| license.in_force);
    let standings: Vec<Verdict> = deciding().map(|license| standing(license, answer.now)).collect();
    let best_works = standings.iter().any(|verdict| verdict.outcome != Outcome::Failed);
    if standings.is_empty() {
        let all: Vec<String> = answer.licenses.iter().map(why_not).collect();
        return Verdict::failed(format!("no license is in force: {}", all.join("; ")), IMPORT);
    }
    let details: Vec<&str> = standings.iter().map(|verdict| verdict.detail.as_str()).collect();
    let detail = details.join("; ");
    if !best_works {
        return Verdict::failed(detail, RENEW);
    }
    match standings.iter().all(|verdict| verdict.outcome == Outcome::Ok) {
        true => Verdict::ok(detail),
        false => Verdict::warning(detail, RENEW),
    }
}

fn standing(license: &LicenseAnswer, now: Timestamp) -> Verdict {
    let product = &license.product;
    let days = |until: Option<Timestamp>| {
        until.map_or(0, |until| until.saturating_since(now).as_secs() / 86_400)
    };
    match license.phase.as_str() {
        "in_force" => match license.ends {
            None => Verdict::ok(format!("{product}: in force without an end")),
            Some(_) => {
                Verdict::ok(format!("{product}: in force, {} days left", days(license.ends)))
            }
        },
        "expiring" => {
            Verdict::warning(format!("{product}: ends in {} days", days(license.ends)), RENEW)
        }
        "grace" => Verdict::warning(
            format!("{product}: past its end, {} days of grace left", days(license.grace_ends)),
            RENEW,
        ),
        "restricted" => Verdict::warning(
            format!("{product}: restricted, stops in {} days", days(license.stops)),
            RENEW,
        ),
        other => Verdict::failed(format!("{product}: {}", other.replace('_', " ")), RENEW),
    }
}

fn why_not(license: &LicenseAnswer) -> String {
    match &license.not_admitted {
        Some(why) => format!("{}: {why}", license.product),
        None => format!("{}: {}", license.product, license.phase.replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    fn license(product: &str, phase: &str, in_force: bool) -> serde_json::Value {
        json!({
            "tenant_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f",
            "product": product,
            "license_id": "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e40",
            "serial": 1,
            "sha256": "00".repeat(32),
            "issued_to": "A school",
            "in_force": in_force,
            "phase": phase,
            "begins": NOW - Duration::from_secs(86_400),
            "ends": NOW + Duration::from_secs(3 * 86_400),
            "features": ["exam"],
        })
    }

    fn verdict(licenses: &[serde_json::Value]) -> Verdict {
        judge(&serde_json::from_value(json!({ "now": NOW, "licenses": licenses })).unwrap())
    }

    #[test]
    fn one_working_license_is_enough_and_the_days_are_told() {
        let found = verdict(&[license("lms", "in_force", true)]);
        assert_eq!(found, Verdict::ok("lms: in force, 3 days left"));
        let found = verdict(&[license("lms", "in_force", true), license("lab", "stopped", true)]);
        assert_eq!(found.outcome, Outcome::Warning);
    }

    #[test]
    fn none_waiting_or_stopped_is_a_failure() {
        assert_eq!(verdict(&[]).outcome, Outcome::Failed);
        let waiting = verdict(&[license("lms", "not_begun", false)]);
        assert_eq!(waiting.outcome, Outcome::Failed);
        assert!(waiting.detail.contains("lms: not begun"), "{}", waiting.detail);
        assert_eq!(verdict(&[license("lms", "stopped", true)]).outcome, Outcome::Failed);
    }
}
