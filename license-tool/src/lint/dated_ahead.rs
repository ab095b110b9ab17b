//! A date in the future where a site reads that it has come.

use farhold_contract::Timestamp;

use super::{Found, Papers, Rule, Weight};
use crate::dated::is_far_ahead;

pub(super) const RULE: Rule = Rule {
    name: "dated_ahead",
    why: "A site takes the date of a document for a time that has been: what ends before is over there.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    let trust = papers.trust.map(|trust| {
        let root = trust.root();
        (format!("root {}", root.version), root.issued_at)
    });
    let roots = papers.roots.iter().map(|(name, root)| (name.clone(), root.issued_at));
    let lists = papers.revocations.iter().map(|(name, list)| (name.clone(), list.issued_at));
    let signed = papers.licenses.iter().filter(|paper| paper.is_signed);
    let licenses = signed.map(|paper| (paper.name.clone(), paper.license.issued_at));
    let entered = papers.ledger.iter().flat_map(|ledger| ledger.contracts()).map(|contract| {
        let newest = &contract.newest;
        (
            format!("ledger: license {} serial {}", newest.license_id, newest.serial),
            newest.issued_at,
        )
    });
    let dated = trust.into_iter().chain(roots).chain(lists).chain(licenses).chain(entered);
    for (subject, dated) in dated.filter(|(_, dated)| is_far_ahead(*dated, papers.at)) {
        found.add(
            Weight::Warning,
            subject,
            format!("it is dated {dated}, {} days ahead", days_ahead(dated, papers.at)),
            "Correct the clock that it was made by, and make it again without --at. Is it out \
             already, revoke it, and repair the sites that took it (license-tool clock-reset).",
        );
    }
}

fn days_ahead(dated: Timestamp, at: Timestamp) -> u64 {
    dated.saturating_since(at).as_secs() / (24 * 60 * 60)
}
