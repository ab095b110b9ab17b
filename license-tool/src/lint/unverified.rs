//! A license that the root given does not vouch for.

use super::{Found, Papers, Rule, Weight};

pub(super) const RULE: Rule = Rule {
    name: "unverified",
    why: "A site that stands at this root takes only what the root's license keys signed.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in &papers.licenses {
        if let Some(refusal) = &paper.refusal {
            let what = format!("{} ({})", refusal.what(), refusal.code());
            found.add(Weight::Error, &paper.name, what, refusal.next());
        }
    }
}
