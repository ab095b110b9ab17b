//! A root whose end comes before it is expected.

use farhold_contract::Timestamp;
use jiff::tz::TimeZone;

use super::{Found, Papers, Rule, Weight};

pub(super) const RULE: Rule = Rule {
    name: "root_near_end",
    why: "Past a root's end its sites take no new word without a newer root; what is in force stays.",
    look,
};

const NEXT: &str = "Make the next root (license-tool root renew) and send it with the next bundle.";

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    let trust = papers.trust.map(|trust| {
        let root = trust.root().content();
        (format!("root {}", root.version), root)
    });
    let roots = papers.roots.iter().map(|(name, root)| (name.clone(), root));
    let newest = papers.roots.iter().map(|(_, root)| root.version).max();
    for (name, root) in trust.clone().into_iter().chain(roots) {
        // Older roots of a chain have ended or will; the newest one speaks.
        if newest.is_some_and(|newest| root.version < newest) {
            continue;
        }
        let near = papers.within.after(papers.at, &TimeZone::UTC);
        if root.expires <= papers.at {
            let what = format!("root {} has ended {}", root.version, root.expires);
            found.add(Weight::Error, &name, what, NEXT);
        } else if root.expires <= near {
            let days = days_between(papers.at, root.expires);
            let what = format!("root {} ends {}, in {days} days", root.version, root.expires);
            found.add(Weight::Warning, &name, what, NEXT);
        }
    }
    let Some((_, root)) = trust else { return };
    for paper in &papers.licenses {
        if let Some(end) = paper.license.end().filter(|end| *end > root.expires) {
            found.note(
                paper,
                format!(
                    "it ends {end}, after root {} does ({}): its renewal needs a newer root",
                    root.version, root.expires
                ),
                NEXT,
            );
        }
    }
}

fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    jiff::Timestamp::from(to).duration_since(from.into()).as_hours() / 24
}
