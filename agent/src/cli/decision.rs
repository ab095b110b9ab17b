//! What is decided, for people: for whom, how much, and the verdict.

use farhold_terminal::text;

use crate::admin::answer::decision::{
    FeatureChangeAnswer, LimitsAnswer, ScopeAnswer, VerdictAnswer,
};

/// More runtimes than that are counted, not listed.
const RUNTIMES_LISTED: usize = 5;

/// A list of features with their runtimes under a heading; nothing if it is empty.
pub(super) fn features(heading: &str, list: &[FeatureChangeAnswer]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let mut told = format!("\n{heading}:\n");
    for feature in list {
        let before = verdict(&feature.before);
        let after = verdict(&feature.after);
        let change = if before == after { after } else { format!("{before} -> {after}") };
        told.push_str(&format!("  {}: {change}\n", text::plain(&feature.feature)));
        let count = feature.runtimes.len();
        for runtime in feature.runtimes.iter().take(RUNTIMES_LISTED) {
            told.push_str(&format!("    runtime {runtime}\n"));
        }
        if count > RUNTIMES_LISTED {
            told.push_str(&format!("    and {} more\n", count - RUNTIMES_LISTED));
        }
    }
    told
}

/// What a check is answered: a mode's name, or a code.
pub(super) fn verdict(verdict: &VerdictAnswer) -> String {
    match (verdict.mode, verdict.code) {
        (Some(mode), _) => mode.as_str().to_owned(),
        (None, Some(code)) => code.to_string(),
        (None, None) => "nothing".to_owned(),
    }
}

/// For whom an entitlement is.
pub(super) fn scope(scope: &ScopeAnswer) -> String {
    match (scope.runtime_id, scope.runtime_type) {
        (Some(id), _) => format!("runtime {id}"),
        (None, Some(kind)) => kind.to_string(),
        (None, None) => "every runtime".to_owned(),
    }
}

/// How much is granted.
pub(super) fn limits(limits: &LimitsAnswer) -> String {
    let LimitsAnswer { quota, overage, time_window, concurrency } = limits;
    let mut words = vec![quota.map_or_else(|| "unlimited".to_owned(), |units| units.to_string())];
    if let Some(window) = time_window {
        words.push(format!("each {}", text::plain(window)));
    }
    if let Some(units) = overage {
        words.push(format!("and {units} over it"));
    }
    if let Some(most) = concurrency {
        words.push(format!("{most} at once"));
    }
    words.join(" ")
}

/// Where a license is in its life, in words.
pub(super) fn phase(name: &str) -> String {
    text::plain(&name.replace('_', " "))
}

/// What is said where nothing happens to the runtimes that are registered here.
pub(super) fn nothing(what: &str, runtimes: usize) -> String {
    match runtimes {
        0 => "\nNo runtime is registered here.\n".to_owned(),
        count => {
            let runtimes = text::count(count as u64, "registered runtime");
            format!("\nNothing {what} the {runtimes} here.\n")
        }
    }
}
