//! Features apart: the question "may it?" has one license that answers (`bundle.md` §4.2).

use std::collections::{BTreeMap, BTreeSet};

use farhold_contract::{
    Code, Timestamp,
    id::{RuntimeId, TenantId},
    model::RuntimeType,
};

use super::SiteFacts;
use crate::{error::RefusalReason, payload::License, standing::Standing};

/// Refuses two products of one organization that at some instant from now on grant one feature to
/// one runtime.
///
/// # Errors
/// `license.feature_conflict`.
pub(super) fn require_distinct(
    standing: &Standing,
    site: Option<&SiteFacts>,
    now: Timestamp,
) -> Result<(), RefusalReason> {
    let tenures = tenures(standing, site, now);
    let mut products: BTreeMap<TenantId, BTreeSet<&str>> = BTreeMap::new();
    for (license, _) in &tenures {
        products.entry(license.tenant.tenant_id).or_default().insert(&license.product);
    }
    let mut granted: BTreeMap<(TenantId, &str), Vec<Grant<'_>>> = BTreeMap::new();
    for (license, tenure) in tenures {
        // Most organizations have one product, and nothing to compare.
        if products.get(&license.tenant.tenant_id).is_none_or(|products| products.len() < 2) {
            continue;
        }
        let whole = license.stop();
        for entitlement in &license.entitlements {
            let grant = Grant {
                product: &license.product,
                scope: (entitlement.runtime_type, entitlement.runtime_id),
                tenure: tenure.until(entitlement.stop(license, whole)),
            };
            let feature = (license.tenant.tenant_id, entitlement.feature.as_str());
            granted.entry(feature).or_default().push(grant);
        }
    }
    for ((_, feature), grants) in granted {
        if let Some((one, other)) = conflict(grants) {
            let detail = format!("{feature} is granted by {one} and by {other}");
            return Err(RefusalReason::rule(Code::LicenseFeatureConflict, detail));
        }
    }
    Ok(())
}

/// One feature by one product.
#[derive(Debug, Clone, Copy)]
struct Grant<'a> {
    product: &'a str,
    scope: Scope,
    tenure: Tenure,
}

type Scope = (Option<RuntimeType>, Option<RuntimeId>);

const EVERYONE: Scope = (None, None);

/// Two products of which grants of one feature overlap, for one scope or one of them for everyone.
///
/// One walk by when grants begin: each is held against what reaches furthest of those before it.
/// Ten thousand runtimes may have a grant each, of each of two products.
fn conflict(mut grants: Vec<Grant<'_>>) -> Option<(&str, &str)> {
    grants.retain(|grant| !grant.tenure.is_empty());
    grants.sort_by_key(|grant| grant.tenure.from);
    let mut any = Reach::default();
    let mut everyone = Reach::default();
    let mut scopes: BTreeMap<Scope, Reach<'_>> = BTreeMap::new();
    for grant in &grants {
        let other = if grant.scope == EVERYONE {
            any.conflicting(grant)
        } else {
            let alike = scopes.get(&grant.scope).and_then(|alike| alike.conflicting(grant));
            alike.or_else(|| everyone.conflicting(grant))
        };
        if let Some(other) = other {
            return Some((grant.product.max(other), grant.product.min(other)));
        }
        any.take(grant);
        if grant.scope == EVERYONE {
            everyone.take(grant);
        } else {
            scopes.entry(grant.scope).or_default().take(grant);
        }
    }
    None
}

/// Until when the two products that reach furthest grant a feature, the furthest first.
#[derive(Debug, Clone, Copy, Default)]
struct Reach<'a>([Option<(&'a str, Option<Timestamp>)>; 2]);

impl<'a> Reach<'a> {
    /// Another product that still grants when this one begins.
    fn conflicting(&self, grant: &Grant<'_>) -> Option<&'a str> {
        self.0.iter().flatten().find_map(|&(product, until)| {
            let lasts = until.is_none_or(|until| until > grant.tenure.from);
            (product != grant.product && lasts).then_some(product)
        })
    }

    fn take(&mut self, grant: &Grant<'a>) {
        let until = grant.tenure.until;
        let [first, second] = &mut self.0;
        match first {
            Some((product, known)) if *product == grant.product => *known = later(*known, until),
            Some((_, known)) if later(*known, until) == *known => {
                *second = match *second {
                    Some((product, known)) if later(known, until) == known => {
                        Some((product, known))
                    }
                    _ => Some((grant.product, until)),
                };
            }
            _ => {
                *second = first.take();
                *first = Some((grant.product, until));
            }
        }
    }
}

/// From when, and until when, if ever.
#[derive(Debug, Clone, Copy)]
struct Tenure {
    from: Timestamp,
    until: Option<Timestamp>,
}

impl Tenure {
    fn until(self, end: Option<Timestamp>) -> Self {
        Self { until: earlier(self.until, end), ..self }
    }

    fn is_empty(self) -> bool {
        self.until.is_some_and(|until| until <= self.from)
    }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (bound, None) | (None, bound) => bound,
    }
}

fn later(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    Some(a?.max(b?))
}

/// When each license is the one in force of its line: from its beginning until a higher serial's.
/// Its own end is left to its entitlements.
fn tenures<'a>(
    standing: &'a Standing,
    site: Option<&SiteFacts>,
    now: Timestamp,
) -> Vec<(&'a License, Tenure)> {
    let mut tenures: Vec<(&License, Tenure)> = Vec::new();
    let mut line: Option<(TenantId, &str)> = None;
    let mut next_begins = None;
    // Each line from its highest serial down.
    for license in standing.licenses().iter().rev() {
        if standing.revokes(license) || site.is_some_and(|site| site.has_released(license)) {
            continue;
        }
        let key = (license.tenant.tenant_id, license.product.as_str());
        if line.replace(key) != Some(key) {
            next_begins = None;
        }
        let from = license.not_before.max(now);
        tenures.push((license, Tenure { from, until: next_begins }));
        // One that this machine does not admit leaves the place to the serial below it.
        if site.is_none_or(|site| site.admits(license).is_ok()) {
            next_begins = earlier(next_begins, Some(license.not_before));
        }
    }
    tenures
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// The rule as the spec has it: each grant beside each other one.
    fn conflict_of_each_pair(grants: &[Grant<'_>]) -> bool {
        let conflicts = |one: &Grant<'_>, other: &Grant<'_>| {
            let from = one.tenure.from.max(other.tenure.from);
            let both = Tenure { from, until: earlier(one.tenure.until, other.tenure.until) };
            one.product != other.product
                && (one.scope == other.scope || one.scope == EVERYONE || other.scope == EVERYONE)
                && !both.is_empty()
        };
        grants
            .iter()
            .enumerate()
            .any(|(at, one)| grants[..at].iter().any(|other| conflicts(one, other)))
    }

    fn runtime(n: u32) -> Scope {
        let id = format!("01939b6e-0000-7000-8000-0000{n:08x}");
        (None, Some(id.parse().unwrap()))
    }

    fn grant() -> impl Strategy<Value = Grant<'static>> {
        let scope = prop_oneof![
            1 => Just(EVERYONE),
            2 => Just((Some(RuntimeType::Labs), None)),
            4 => (0_u32..3).prop_map(runtime),
        ];
        let product = prop_oneof![Just("courses"), Just("exams"), Just("labs")];
        let until = prop::option::weighted(0.9, 0_i64..60);
        (product, scope, 0_i64..60, until).prop_map(|(product, scope, from, until)| {
            let tenure =
                Tenure { from: Timestamp::from_ms(from), until: until.map(Timestamp::from_ms) };
            Grant { product, scope, tenure }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn one_walk_finds_what_comparing_each_pair_finds(grants in vec(grant(), 0..9)) {
            let expected = conflict_of_each_pair(&grants);
            prop_assert_eq!(conflict(grants).is_some(), expected);
        }
    }

    #[test]
    fn ten_thousand_runtimes_of_two_products_with_five_serials_each_are_one_walk() {
        let apart = |product, of: u32| {
            (0..50_000).map(move |n| Grant {
                product,
                scope: runtime(2 * (n % 10_000) + of),
                tenure: Tenure { from: Timestamp::from_ms(i64::from(n)), until: None },
            })
        };
        // Each beside each other one: five billion comparisons.
        let mut grants: Vec<_> = apart("courses", 0).chain(apart("labs", 1)).collect();
        assert_eq!(conflict(grants.clone()), None);
        grants.push(Grant { product: "labs", ..grants[0] });
        assert_eq!(conflict(grants), Some(("labs", "courses")));
    }
}
