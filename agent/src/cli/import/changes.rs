//! What a bundle changes, for people: old -> new, and what would stop working.

use farhold_terminal::text;

use crate::{
    admin::answer::changes::{
        ChangesAnswer, ContentChangeAnswer, EntitlementChangeAnswer, FlagAnswer, FlagChangeAnswer,
        LineChangeAnswer, LineStandingAnswer, TermChangeAnswer, TermsAnswer,
    },
    cli::decision::{features, limits, nothing, phase, scope},
};

use super::trust_change;

/// What people ask first of a license.
const FIRST_ASKED: [&str; 6] =
    ["issued_to", "not_before", "expires_on", "versions", "released_before", "binding"];
/// What is longer is cut: a flag may hold megabytes, and what would stop working is told below it.
const VALUE_CHARS_MAX: usize = 200;

/// Every change, each under its subject.
pub(super) fn described(changes: &ChangesAnswer, applied: bool) -> String {
    let mut told = String::new();
    if let Some(trust) = &changes.trust {
        told.push_str(&trust_change::described(trust));
    }
    if let Some(generations) = &changes.revocations {
        told.push_str(&format!(
            "\nRevocations: generation {} -> {}\n",
            generations.before, generations.after
        ));
    }
    if let Some(time) = changes.clock_reset {
        told.push_str(&format!("\nThe agent's own time is set to {time}.\n"));
    }
    if let Some(time) = changes.judged_by {
        let is = if applied { "are" } else { "would be" };
        told.push_str(&format!(
            "\nA document is dated ahead of both clocks: licenses {is} judged by {time}.\nIf that date is wrong, ask the vendor for documents that are dated right.\n"
        ));
    }
    for line in &changes.lines {
        told.push_str(&line_change(line));
    }
    let (stops, begins) = match applied {
        true => ("Stopped working", "Answered otherwise now"),
        false => ("Would stop working", "Would be answered otherwise"),
    };
    told.push_str(&features(stops, &changes.stops));
    told.push_str(&features(begins, &changes.begins));
    if changes.stops.is_empty() && !applied {
        told.push_str(&nothing("would stop working for", changes.runtimes));
    }
    told
}

fn line_change(line: &LineChangeAnswer) -> String {
    let (before, after) = (standing(&line.before), standing(&line.after));
    let change =
        if before == after { format!("{after} stays") } else { format!("{before} -> {after}") };
    let mut told =
        format!("\n{} (organization {}): {change}\n", text::plain(&line.product), line.tenant_id);
    let both = line.before.serial.is_some() && line.after.serial.is_some();
    told.push_str(&content(&line.content, both, "  "));
    for later in &line.later {
        let instead = later
            .instead_of
            .map_or_else(String::new, |serial| format!(" instead of serial {serial}"));
        told.push_str(&format!("  from {}: serial {}{instead}\n", later.at, later.serial));
        told.push_str(&content(&later.content, later.instead_of.is_some(), "    "));
    }
    for lost in &line.lost {
        let why = match (lost.why.as_str(), lost.code) {
            ("revoked", _) => "is revoked".to_owned(),
            (_, Some(code)) => format!("can't be in force here: {code}"),
            _ => "is gone".to_owned(),
        };
        told.push_str(&format!("  license {} serial {} {why}\n", lost.license_id, lost.serial));
    }
    told
}

fn standing(standing: &LineStandingAnswer) -> String {
    match (standing.serial, standing.code) {
        (Some(serial), _) => {
            format!("serial {serial}, {}", phase(standing.phase.as_deref().unwrap_or_default()))
        }
        (None, Some(code)) => code.to_string(),
        (None, None) => "no license".to_owned(),
    }
}

fn content(content: &ContentChangeAnswer, both: bool, indent: &str) -> String {
    let mut told = String::new();
    for term in content.terms.iter().filter(|term| is_news(term, both)) {
        let said =
            |value: &Option<String>| value.as_deref().map_or_else(|| "not said".to_owned(), shown);
        told.push_str(&format!(
            "{indent}{}: {} -> {}\n",
            text::plain(&term.name),
            said(&term.before),
            said(&term.after)
        ));
    }
    for entitlement in &content.entitlements {
        told.push_str(&format!("{indent}{}\n", entitlement_change(entitlement)));
    }
    for flag in &content.flags {
        told.push_str(&format!("{indent}{}\n", flag_change(flag)));
    }
    told
}

/// Between two licenses every difference but the serial, which is told already; of a license
/// alone what people ask first.
fn is_news(term: &TermChangeAnswer, both: bool) -> bool {
    match both {
        true => term.name != "serial",
        false => term.after.is_some() && FIRST_ASKED.contains(&term.name.as_str()),
    }
}

fn entitlement_change(change: &EntitlementChangeAnswer) -> String {
    let said = |terms: &Option<TermsAnswer>| {
        terms.as_ref().map_or_else(|| "not granted".to_owned(), terms_told)
    };
    format!(
        "{} for {}: {} -> {}",
        text::plain(&change.feature),
        scope(&change.scope),
        said(&change.before),
        said(&change.after)
    )
}

fn terms_told(terms: &TermsAnswer) -> String {
    let mut told = limits(&terms.limits);
    if let Some(until) = terms.valid_until {
        told.push_str(&format!(" until {until}"));
    }
    if terms.ladder.is_some() {
        told.push_str(" with a ladder of its own");
    }
    told
}

fn flag_change(change: &FlagChangeAnswer) -> String {
    let said = |flag: &Option<FlagAnswer>| match flag {
        None => "not set".to_owned(),
        Some(flag) => {
            let value = shown(&flag.value.to_string());
            let of = |versions: &String| format!("{value} for versions {}", text::plain(versions));
            flag.versions.as_ref().map_or_else(|| value.clone(), of)
        }
    };
    let key = text::plain(&change.key);
    format!("flag {key}: {} -> {}", said(&change.before), said(&change.after))
}

/// A value of the license's own, as far as it fits; `--json` has all of it.
fn shown(value: &str) -> String {
    let mut shown = text::plain(&value.chars().take(VALUE_CHARS_MAX).collect::<String>());
    let more = value.chars().skip(VALUE_CHARS_MAX).count() as u64;
    if more > 0 {
        shown.push_str(&format!("… and {}", text::count(more, "character")));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_megabytes_is_cut_and_the_rest_is_counted() {
        assert_eq!(shown("on\u{1b}[2J"), "on\u{fffd}[2J");
        assert_eq!(shown(&"ü".repeat(VALUE_CHARS_MAX)), "ü".repeat(VALUE_CHARS_MAX));
        let long = shown(&"x".repeat(2 << 20));
        assert!(long.ends_with("x… and 2096952 characters"), "{long}");
    }
}
