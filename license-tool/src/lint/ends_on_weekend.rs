//! An end, or what follows it, on a day when nobody is there.

use jiff::{ToSpan, Zoned, civil::Weekday};

use super::{Found, Paper, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "ends_on_weekend",
    why: "What stops while nobody is there is found out by those who can't help.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in &papers.licenses {
        let Some(end) = paper.license.end() else { continue };
        // In the order of time; what hurts is the first instant at which less works.
        let grace_ends = paper.grace_ends().unwrap_or(end);
        let stop = paper.license.stop().unwrap_or(grace_ends);
        let mut steps = vec![(end, "it ends")];
        if grace_ends > end && stop > grace_ends {
            steps.push((grace_ends, "it is restricted"));
        }
        if stop > end {
            steps.push((stop, "it stops"));
        }
        let bites: Vec<_> = steps
            .iter()
            .filter(|(at, _)| *at >= papers.at)
            .filter_map(|(at, step)| Some((*at, format!("{step} {}", weekend_of(paper, *at)?))))
            .collect();
        if bites.is_empty() {
            continue;
        }
        let what = bites.iter().map(|(_, what)| what.as_str()).collect::<Vec<_>>().join("; ");
        let next =
            "Choose days on which both sides work: Tuesday to Thursday leave a day for help.";
        if bites.iter().any(|(at, _)| *at >= grace_ends) {
            found.warn(paper, what, next);
        } else {
            // The end itself, and grace follows it.
            found.note(paper, what, next);
        }
    }
}

/// After which day something is missed that is over at this instant, if that is on a weekend.
fn weekend_of(paper: &Paper, at: farhold_contract::Timestamp) -> Option<String> {
    let first_without: Zoned = paper.local(at);
    let last_with = first_without.checked_sub(1.nanosecond()).ok()?;
    let is_weekend = |day: &Zoned| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    (is_weekend(&last_with) || is_weekend(&first_without))
        .then(|| format!("when {} {} is over", name(last_with.weekday()), last_with.date()))
}

pub(super) const fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
