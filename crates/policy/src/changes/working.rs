//! What would stop or begin working for the registered runtimes.
//!
//! Runtimes of one type that the licenses cover alike get the same answers: each answer is worked
//! out once for all of them, and once more for those that an entitlement names.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use farhold_contract::{
    Code, Sha256Digest,
    id::{RuntimeId, TenantId},
    mode::Mode,
    model::RuntimeType,
};

use crate::{
    line::Line,
    question::{Asker, RuntimeFacts},
    scope::Scope,
    standing_license::{Coverage, StandingLicense},
};

use super::{FeatureChange, PolicyAt};

/// What stops, and what begins; by tenant and feature.
pub(super) fn changes(
    before: &PolicyAt<'_>,
    after: &PolicyAt<'_>,
    runtimes: &[(TenantId, RuntimeFacts)],
) -> (Vec<FeatureChange>, Vec<FeatureChange>) {
    let mut of_tenant: BTreeMap<TenantId, Vec<&RuntimeFacts>> = BTreeMap::new();
    for (tenant_id, runtime) in runtimes {
        of_tenant.entry(*tenant_id).or_default().push(runtime);
    }
    let mut found = Vec::new();
    for (tenant_id, runtimes) in of_tenant {
        let both = Both { before, after, tenant_id };
        if both.may_differ() {
            let from = found.len();
            for alike in both.alike(&runtimes) {
                both.compare(&alike, &mut found);
            }
            found[from..].sort_by(|a, b| a.feature.cmp(&b.feature));
        }
    }
    found.into_iter().partition(|change| change.before.is_ok())
}

/// Both sides of one tenant.
struct Both<'a> {
    before: &'a PolicyAt<'a>,
    after: &'a PolicyAt<'a>,
    tenant_id: TenantId,
}

impl<'a> Both<'a> {
    /// Whether an answer can be another one at all.
    fn may_differ(&self) -> bool {
        let documents = |side: &'a PolicyAt<'a>| -> Vec<(&str, Option<Sha256Digest>)> {
            let in_force =
                |line: &Line| line.in_force(side.now.instant).map(|license| license.sha256);
            let lines = side.policy.lines_of(self.tenant_id).iter();
            lines.map(|line| (&*line.product, in_force(line))).collect()
        };
        self.before.now.instant != self.after.now.instant
            || documents(self.before) != documents(self.after)
    }

    fn in_force(&self, side: &'a PolicyAt<'a>) -> impl Iterator<Item = &'a StandingLicense> {
        let lines = side.policy.lines_of(self.tenant_id).iter();
        lines.filter_map(|line| line.in_force(side.now.instant))
    }

    /// The runtimes, grouped by what licenses go by: type and coverage.
    fn alike<'r>(&self, runtimes: &[&'r RuntimeFacts]) -> Vec<Vec<&'r RuntimeFacts>> {
        let mut groups: BTreeMap<(RuntimeType, Vec<Coverage>), Vec<&'r RuntimeFacts>> =
            BTreeMap::new();
        for &runtime in runtimes {
            let licenses = self.in_force(self.before).chain(self.in_force(self.after));
            let coverage = licenses.map(|license| license.coverage(runtime)).collect();
            groups.entry((runtime.runtime_type, coverage)).or_default().push(runtime);
        }
        groups.into_values().collect()
    }

    /// Every feature that a license in force grants on either side, and whom any license names for
    /// it: of two reasons to refuse, the one that names the runtime tells more.
    fn features(&self) -> BTreeMap<&'a Arc<str>, BTreeSet<RuntimeId>> {
        let in_force = self.in_force(self.before).chain(self.in_force(self.after));
        let granted = in_force.flat_map(|license| &license.entitlements);
        let mut features: BTreeMap<&Arc<str>, BTreeSet<RuntimeId>> =
            granted.map(|granted| (&granted.feature, BTreeSet::new())).collect();
        let lines = |side: &'a PolicyAt<'a>| side.policy.lines_of(self.tenant_id);
        let licenses = lines(self.before).iter().chain(lines(self.after)).flat_map(|l| &l.licenses);
        for granted in licenses.flat_map(|license| &license.entitlements) {
            if let Scope::Runtime(runtime_id) = granted.scope
                && let Some(named) = features.get_mut(&granted.feature)
            {
                named.insert(runtime_id);
            }
        }
        features
    }

    fn compare(&self, alike: &[&RuntimeFacts], found: &mut Vec<FeatureChange>) {
        let Some(any) = alike.first() else { return };
        let members: BTreeMap<RuntimeId, &RuntimeFacts> =
            alike.iter().map(|runtime| (runtime.runtime_id, *runtime)).collect();
        let all: Arc<[RuntimeId]> = members.keys().copied().collect();
        for (feature, named) in self.features() {
            let named: BTreeMap<_, _> =
                named.iter().filter_map(|id| members.get_key_value(id)).collect();
            let rest = if named.is_empty() {
                all.clone()
            } else {
                all.iter().filter(|id| !named.contains_key(id)).copied().collect()
            };
            found.extend(self.change(feature, rest, &Asker::any_like(feature, any)));
            for (&id, runtime) in named {
                found.extend(self.change(feature, [id].into(), &Asker::one(feature, runtime)));
            }
        }
    }

    fn change(
        &self,
        feature: &Arc<str>,
        runtimes: Arc<[RuntimeId]>,
        asker: &Asker<'_>,
    ) -> Option<FeatureChange> {
        let (before, after) = (self.answer(self.before, asker), self.answer(self.after, asker));
        let differs = before.is_ok() != after.is_ok() && !runtimes.is_empty();
        differs.then(|| FeatureChange {
            tenant_id: self.tenant_id,
            feature: feature.clone(),
            runtimes,
            before,
            after,
        })
    }

    fn answer(&self, side: &PolicyAt<'_>, asker: &Asker<'_>) -> Result<Mode, Code> {
        let weighed = side.policy.weigh(self.tenant_id, asker, side.now.instant, side.link);
        weighed.map(|held| held.mode).map_err(|denied| denied.reason)
    }
}
