//! An entry of the ledger that is dated before the one it follows.

use super::{Found, Papers, Rule, Weight};

pub(super) const RULE: Rule = Rule {
    name: "ledger_dates",
    why: "Moves to other machines are counted by the dates of the entries: one that is wrong hides a move.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for setback in papers.ledger.iter().flat_map(|ledger| ledger.setbacks()) {
        found.add(
            Weight::Warning,
            format!("ledger: entry {}", setback.seq),
            format!("dated {}, and the entry before it {}", setback.at, setback.before),
            "Find out whose clock was wrong, and set it; look at the moves of that time.",
        );
    }
}
