//! Serials that are nowhere.

use std::collections::{BTreeMap, BTreeSet};

use farhold_bundle::LineKey;

use super::{Found, Papers, Rule, Weight};

pub(super) const RULE: Rule = Rule {
    name: "serial_gap",
    why: "A serial that exists and is not here was issued elsewhere: by a colleague, or by a thief.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    let mut lines: BTreeMap<LineKey, BTreeSet<u64>> = BTreeMap::new();
    for paper in &papers.licenses {
        if let Some(serial) = paper.serial() {
            lines.entry(paper.line()).or_default().insert(serial.as_u64());
        }
    }
    for contract in papers.ledger.iter().flat_map(|ledger| ledger.contracts()) {
        let serials = lines.entry(contract.newest.line()).or_default();
        serials.extend(contract.revisions.iter().map(|revision| revision.serial.as_u64()));
    }
    for (line, serials) in lines {
        let pairs = serials.iter().zip(serials.iter().skip(1));
        let gaps: Vec<String> = pairs
            .filter(|(before, next)| **before + 1 < **next)
            .map(|(before, next)| match next - before {
                2 => format!("{}", before + 1),
                _ => format!("{} to {}", before + 1, next - 1),
            })
            .collect();
        if !gaps.is_empty() {
            let seen =
                if papers.ledger.is_some() { "the ledger and the files" } else { "the files" };
            found.add(
                Weight::Warning,
                format!("{} of tenant {}", line.product, line.tenant_id),
                format!("serials {} are not in {seen}", gaps.join(", ")),
                "Find who issued them, and enter them in the ledger; if nobody did, treat the license \
                 key as stolen.",
            );
        }
    }
}
