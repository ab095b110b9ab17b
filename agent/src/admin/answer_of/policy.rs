//! From the words of policy to those of the admin door.

use std::collections::BTreeMap;

use farhold_contract::{Code, id::TenantId, mode::Mode};
use farhold_policy::{EntitlementLimits, Milestone, Now, Scope, Step, WallStanding};

use crate::{
    admin::answer::{
        ClockAnswer,
        decision::{FeatureChangeAnswer, LimitsAnswer, ScopeAnswer, VerdictAnswer},
        timeline::{MilestoneAnswer, MilestoneEntitlement},
    },
    snapshot::Documents,
};

/// The clocks, with what is to be said of each.
pub(in crate::admin) fn clock(documents: &Documents, now: &Now, wall: WallStanding) -> ClockAnswer {
    let dated = |at| at == now.floor;
    let standing = &documents.standing;
    let root = standing.root().map(|root| root.root());
    let floor_by = root
        .filter(|root| dated(root.issued_at))
        .map(|root| format!("root {}", root.version))
        .or_else(|| {
            let listed = standing.revocations().filter(|listed| dated(listed.issued_at))?;
            Some(format!("revocations generation {}", listed.generation))
        })
        .or_else(|| {
            let license = standing.licenses().iter().find(|license| dated(license.issued_at))?;
            Some(format!("license {} serial {}", license.license_id, license.serial))
        });
    ClockAnswer {
        wall: now.wall,
        mark: now.mark,
        floor: now.floor,
        now: now.instant,
        floor_by,
        wall_is: wall.as_str().to_owned(),
        rolled_back: now.is_rolled_back(),
        on_probation: now.is_on_probation(),
    }
}

/// For whom an entitlement is.
pub(in crate::admin) const fn scope(scope: Scope) -> ScopeAnswer {
    match scope {
        Scope::Everyone => ScopeAnswer { runtime_type: None, runtime_id: None },
        Scope::Type(kind) => ScopeAnswer { runtime_type: Some(kind), runtime_id: None },
        Scope::Runtime(id) => ScopeAnswer { runtime_type: None, runtime_id: Some(id) },
    }
}

/// How much is granted.
pub(in crate::admin) fn limits(limits: EntitlementLimits) -> LimitsAnswer {
    let EntitlementLimits { quota, overage, time_window, concurrency } = limits;
    LimitsAnswer { quota, overage, time_window, concurrency }
}

/// What a check is answered.
pub(in crate::admin) const fn verdict(answer: Result<Mode, Code>) -> VerdictAnswer {
    match answer {
        Ok(mode) => VerdictAnswer { mode: Some(mode), code: None },
        Err(code) => VerdictAnswer { mode: None, code: Some(code) },
    }
}

/// One step ahead.
pub(in crate::admin) fn milestone(milestone: Milestone) -> MilestoneAnswer {
    let Milestone { at, tenant_id, product, license_id, serial, step, entitlements, kept_before } =
        milestone;
    let (instead_of, then) = match step {
        Step::Begins { instead_of } => (instead_of.map(|serial| serial.as_u64()), None),
        Step::Ends { then } => (None, Some(then.as_str().to_owned())),
        Step::Warns | Step::Restricts | Step::Stops => (None, None),
    };
    MilestoneAnswer {
        at,
        tenant_id,
        product: product.to_string(),
        license_id,
        serial: serial.as_u64(),
        step: step.as_str().to_owned(),
        instead_of,
        then,
        kept_before,
        entitlements: entitlements
            .into_iter()
            .map(|(feature, for_whom)| MilestoneEntitlement {
                feature: feature.to_string(),
                scope: scope(for_whom),
            })
            .collect(),
        words: step.to_string(),
    }
}

/// Answers to runtimes, those alike together: by organization and feature.
#[derive(Default)]
pub(in crate::admin) struct Alike {
    found: BTreeMap<(TenantId, String), Vec<FeatureChangeAnswer>>,
}

impl Alike {
    /// Takes one more in.
    pub(in crate::admin) fn add(&mut self, one: FeatureChangeAnswer) {
        let known = self.found.entry((one.tenant_id, one.feature.clone())).or_default();
        match known.iter_mut().find(|known| (known.before, known.after) == (one.before, one.after))
        {
            Some(alike) => alike.runtimes.extend(one.runtimes),
            None => known.push(one),
        }
    }

    /// All of them.
    pub(in crate::admin) fn into_answers(self) -> Vec<FeatureChangeAnswer> {
        self.found.into_values().flatten().collect()
    }
}
