//! Days between two serials on which nothing holds.

use std::collections::BTreeMap;

use farhold_bundle::LineKey;

use super::{Found, Paper, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "period_gap",
    why: "Between the end of one serial and the beginning of the next, the customer has paid for nothing.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    let mut lines: BTreeMap<LineKey, Vec<&Paper>> = BTreeMap::new();
    for paper in &papers.licenses {
        lines.entry(paper.line()).or_default().push(paper);
    }
    for serials in lines.values_mut() {
        // A template would become the next serial.
        serials.sort_by_key(|paper| (!paper.is_signed, paper.serial()));
        for pair in serials.windows(2) {
            let [before, next] = pair else { continue };
            let Some(end) = before.license.end() else { continue };
            if before.license.released_before.is_none() && end < next.license.not_before {
                found.warn(
                    next,
                    format!(
                        "it begins {}; {} has ended {end} by then",
                        next.license.not_before, before.name
                    ),
                    format!("Set not_before to {end} or earlier: the higher serial takes over."),
                );
            }
        }
    }
}
