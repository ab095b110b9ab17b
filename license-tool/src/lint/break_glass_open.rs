//! A license that was met outside of the ledger and never entered.

use super::{Found, Papers, Rule, Weight};

pub(super) const RULE: Rule = Rule {
    name: "break_glass_open",
    why: "Issued in an emergency and not entered since: nobody can say whether it was one.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    for issue in papers.ledger.iter().flat_map(|ledger| ledger.open_break_glass()) {
        found.add(
            Weight::Warning,
            format!("ledger: license {} serial {}", issue.license_id, issue.serial),
            format!("issued to {} outside of the ledger, and not entered", issue.issued_to),
            "Enter its slip (license-tool ledger enter), or treat the license key as stolen.",
        );
    }
}
