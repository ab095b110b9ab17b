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
            let others =
                granted.entry((license.tenant.tenant_id, &entitlement.feature)).or_default();
            if let Some(other) = others.iter().find(|other| other.conflicts_with(&grant)) {
                let detail = format!(
                    "{} is granted by {} and by {}",
                    entitlement.feature, other.product, grant.product
                );
                return Err(RefusalReason::rule(Code::LicenseFeatureConflict, detail));
            }
            if !grant.tenure.is_empty() {
                others.push(grant);
            }
        }
    }
    Ok(())
}

/// One feature by one product.
struct Grant<'a> {
    product: &'a str,
    scope: (Option<RuntimeType>, Option<RuntimeId>),
    tenure: Tenure,
}

impl Grant<'_> {
    fn conflicts_with(&self, other: &Self) -> bool {
        let everyone = (None, None);
        self.product != other.product
            && (self.scope == other.scope || self.scope == everyone || other.scope == everyone)
            && self.tenure.overlaps(other.tenure)
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

    fn overlaps(self, other: Self) -> bool {
        let both =
            Self { from: self.from.max(other.from), until: earlier(self.until, other.until) };
        !both.is_empty()
    }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (bound, None) | (None, bound) => bound,
    }
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
