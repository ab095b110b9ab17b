//! Dated steps for people: when, which license, what happens.

use farhold_contract::Timestamp;
use farhold_terminal::text;

use crate::{
    admin::answer::timeline::{MilestoneAnswer, MilestoneEntitlement},
    cli::decision::scope,
};

/// Entitlements listed by name at one step; more are counted.
const NAMES_LISTED: usize = 6;

/// Each step under its moment; steps of one moment stand together.
pub(super) fn described(timeline: &[MilestoneAnswer], now: Timestamp) -> String {
    let mut told = String::new();
    let mut last = None;
    for milestone in timeline {
        if last != Some(milestone.at) {
            told.push_str(&format!("  {}\n", text::moment(milestone.at, now)));
            last = Some(milestone.at);
        }
        told.push_str(&format!("    {}\n", step(milestone)));
    }
    told
}

fn step(milestone: &MilestoneAnswer) -> String {
    let whose = format!("{} serial {}", text::plain(&milestone.product), milestone.serial);
    let mut told = match milestone.entitlements.as_slice() {
        [] => format!("{whose} {}", text::plain(&milestone.words)),
        [one] => format!("{whose}: {} {}", named(one), text::plain(&milestone.words)),
        several => {
            let names: Vec<String> = several.iter().take(NAMES_LISTED).map(named).collect();
            let more = several.len().saturating_sub(NAMES_LISTED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{whose}: {}{more}: {}", names.join(", "), text::plain(&milestone.words))
        }
    };
    if let Some(day) = milestone.kept_before {
        told.push_str(&format!("; runtimes released before {day} stay covered"));
    }
    told
}

fn named(entitlement: &MilestoneEntitlement) -> String {
    let feature = text::plain(&entitlement.feature);
    match (entitlement.scope.runtime_id, entitlement.scope.runtime_type) {
        (None, None) => feature,
        _ => format!("{feature} for {}", scope(&entitlement.scope)),
    }
}
