//! A feature that is probably another one, misspelled.

use std::collections::BTreeMap;

use super::{Found, Paper, Papers, Rule};

pub(super) const RULE: Rule = Rule {
    name: "feature_typo",
    why: "A feature is compared letter by letter: the product asks for one, the license grants the other.",
    look,
};

fn look(papers: &Papers<'_>, found: &mut Found<'_>) {
    let mut named: BTreeMap<&str, Vec<&Paper>> = BTreeMap::new();
    for paper in &papers.licenses {
        for entitlement in &paper.license.entitlements {
            named.entry(&entitlement.feature).or_default().push(paper);
        }
    }
    for (feature, papers) in &named {
        let others = named.iter().filter(|(other, of)| {
            // The rarer one is the suspect; of two as rare, the later by name, so that it is told once.
            let rank = (papers.len(), std::cmp::Reverse(feature));
            other != &feature
                && rank < (of.len(), std::cmp::Reverse(other))
                && alike(feature, other)
        });
        for (other, _) in others {
            for paper in papers {
                found.warn(
                    paper,
                    format!("the feature {feature} looks like {other}"),
                    format!("If {other} is meant, write it so; if both exist, allow this finding."),
                );
            }
        }
    }
}

/// Whether two names differ as a slip of the hand makes them differ.
fn alike(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_', '.', ' '], "");
    let (one, other) = (plain(one), plain(other));
    if one == other {
        return true;
    }
    // Names that count are different names: courses.v2, labs-10.
    let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    if digits(&one) != digits(&other) {
        return false;
    }
    let allowed = match one.chars().count().min(other.chars().count()) {
        0..5 => 0,
        5..14 => 1,
        _ => 2,
    };
    strsim::damerau_levenshtein(&one, &other) <= allowed
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn a_slip_is_alike_and_a_count_is_not() {
        for (one, other) in [
            ("courses.publish", "courses.pubilsh"),
            ("courses.publish", "course.publish"),
            ("labs.run", "Labs-Run"),
            ("exports", "export"),
        ] {
            assert!(alike(one, other) && alike(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("courses.v1", "courses.v2"),
            ("labs.run", "labs.view"),
            ("read", "real"),
            ("courses.publish", "courses.archive"),
        ] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }
}
