//! What registered runtimes would be answered.

use std::collections::{BTreeMap, BTreeSet};

use farhold_contract::{Code, id::TenantId, mode::Mode};
use farhold_policy::{PolicyAt, Question, Resolution, Restraints, RuntimeFacts, Scope};

use crate::{
    admin::{
        answer::decision::FeatureChangeAnswer,
        answer_of::policy::{self, Alike},
    },
    snapshot::Snapshot,
};

/// What registered runtimes are refused then, and what they are otherwise answered otherwise.
///
/// Asked of every feature that any license grants to such a runtime.
pub(super) fn between(
    snapshot: &Snapshot,
    today: &PolicyAt<'_>,
    then: &PolicyAt<'_>,
) -> (Vec<FeatureChangeAnswer>, Vec<FeatureChangeAnswer>) {
    let granted = granted(snapshot);
    let (mut refused, mut otherwise) = (Alike::default(), Alike::default());
    for (row, facts) in snapshot.registry.runtimes() {
        for (feature, scopes) in granted.get(&row.tenant_id).into_iter().flatten() {
            if !scopes.iter().any(|scope| scope.covers(facts)) {
                continue;
            }
            let before = answer(today, row.tenant_id, facts, feature);
            let after = answer(then, row.tenant_id, facts, feature);
            if after.is_ok() && before == after {
                continue;
            }
            let list = if after.is_err() { &mut refused } else { &mut otherwise };
            list.add(FeatureChangeAnswer {
                tenant_id: row.tenant_id,
                feature: (*feature).to_owned(),
                runtimes: vec![row.runtime_id],
                before: policy::verdict(before),
                after: policy::verdict(after),
            });
        }
    }
    (refused.into_answers(), otherwise.into_answers())
}

/// Every feature that any license grants, and to whom.
fn granted(snapshot: &Snapshot) -> BTreeMap<TenantId, BTreeMap<&str, BTreeSet<Scope>>> {
    let mut features: BTreeMap<TenantId, BTreeMap<&str, BTreeSet<Scope>>> = BTreeMap::new();
    for license in snapshot.documents.standing.licenses() {
        let of_tenant = features.entry(license.tenant.tenant_id).or_default();
        for entitlement in &license.entitlements {
            of_tenant.entry(&entitlement.feature).or_default().insert(Scope::of(entitlement));
        }
    }
    features
}

/// What a check would be answered, usage and the Kernel's word aside.
fn answer(
    at: &PolicyAt<'_>,
    tenant_id: TenantId,
    runtime: &RuntimeFacts,
    feature: &str,
) -> Result<Mode, Code> {
    let question = Question { tenant_id, runtime, feature, consume: None };
    match at.policy.resolve(&question, &Restraints::default(), at.now, at.link) {
        Resolution::Granted(grant) => Ok(grant.mode),
        Resolution::Refused(refused) => Err(refused.reason),
    }
}
