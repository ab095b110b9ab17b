//! An end in the middle of somebody's working day.

use jiff::civil::Weekday;

use super::{Found, Papers, Rule, ends_on_weekend::name};

pub(super) const RULE: Rule = Rule {
    name: "awkward_time",
    why: "What ends in working hours ends in somebody's hands.",
    look,
};

/// Working hours, by the clock of the license's zone.
const WORK: std::ops::Range<i8> = 8..18;

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in &papers.licenses {
        let license = &paper.license;
        if license.end().is_some() && license.time_zone.is_none() {
            found.note(
                paper,
                "time_zone is missing: the last day ends at 12:00 UTC of the next, which is noon in \
                 Europe and Africa",
                "Write the customer's time_zone, as \"Europe/Madrid\".",
            );
        }
        for entitlement in &license.entitlements {
            let Some(until) = entitlement.valid_until.filter(|until| *until >= papers.at) else {
                continue;
            };
            let ladder = entitlement.ladder.as_ref().unwrap_or(&license.ladder);
            if ladder.grace.is_some() {
                continue; // all works on
            }
            let local = paper.local(until);
            let works = !matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
            if works && WORK.contains(&local.hour()) {
                found.warn(
                    paper,
                    format!(
                        "{} ends on {} {} at {:02}:{:02}, without grace",
                        entitlement.feature,
                        name(local.weekday()),
                        local.date(),
                        local.hour(),
                        local.minute()
                    ),
                    "Move valid_until to the end of a day, or give the entitlement a grace.",
                );
            }
        }
    }
}
