//! Entitlements: everything an organization's licenses grant to a runtime, as a list.

use std::collections::BTreeSet;

use farhold_bundle::Standing;
use farhold_contract::{Timestamp, id::TenantId, model::Entitlement};
use farhold_policy::{Link, Now, PolicyState, Question, Resolution, Restraints, RuntimeFacts};

/// What a runtime may use now, in the order of the features' names.
///
/// Each feature gets the answer that a check would give it, so that the list and the checks never
/// disagree; a quota that is used up is still an entitlement.
pub fn entitlements(
    (standing, policy): (&Standing, &PolicyState),
    (tenant_id, runtime): (TenantId, &RuntimeFacts),
    restraints: &Restraints,
    now: &Now,
) -> Vec<Entitlement> {
    let features: BTreeSet<&str> = standing
        .licenses()
        .iter()
        .filter(|license| license.tenant.tenant_id == tenant_id)
        .flat_map(|license| &license.entitlements)
        .map(|entitlement| entitlement.feature.as_str())
        .collect();
    let granted = |feature: &str| {
        let question = Question { tenant_id, runtime, feature, consume: None };
        match policy.resolve(&question, restraints, now, Link::Online) {
            Resolution::Granted(grant) => Some(Entitlement {
                tenant_id,
                runtime_id: runtime.runtime_id,
                feature: feature.to_owned(),
                limits: grant.limits,
                // v0.1 has no word for "without end".
                valid_until: grant.valid_until.unwrap_or(Timestamp::MAX),
            }),
            Resolution::Refused(_) => None,
        }
    };
    features.into_iter().filter_map(granted).collect()
}
