//! Rungs that are over before anybody is back.

use jiff::SignedDuration;

use super::{Found, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "short_ladder",
    why: "From Friday evening to Monday morning nobody renews anything.",
    look,
};

/// Friday 18:00 to Monday 09:00.
const WEEKEND: SignedDuration = SignedDuration::from_hours(63);

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for paper in papers.licenses.iter().filter(|paper| paper.has_rungs()) {
        let (Some(end), Some(stop)) = (paper.license.end(), paper.license.stop()) else { continue };
        let lasts = jiff::Timestamp::from(stop).duration_since(end.into());
        if lasts < WEEKEND {
            found.warn(
                paper,
                format!("it stops {} hours after its end", lasts.as_hours()),
                "Let grace and restrict together last longer than a weekend.",
            );
        }
    }
}
