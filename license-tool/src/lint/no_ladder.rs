//! An end after which everything stops at once.

use super::{Found, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "no_ladder",
    why: "A renewal that is a day late, or a file that nobody carried, stops the customer's work.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in &papers.licenses {
        if paper.license.end().is_some() && !paper.has_rungs() {
            found.warn(
                paper,
                "no grace and no restrict: everything stops when it ends",
                "Write [ladder] with grace = \"P14D\" and restrict = \"P30D\", or what is agreed.",
            );
        }
    }
}
