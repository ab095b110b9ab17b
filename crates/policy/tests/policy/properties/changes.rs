//! What would stop and begin is what asking every runtime for every feature finds.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*, sample::select};

use farhold_contract::{Timestamp, id::RuntimeId};
use farhold_policy::{
    Changes, FeatureChange, Link, Now, PolicyAt, PolicyState, Question, Resolution, Restraints,
    RuntimeFacts,
};

use super::decisions::{FEATURES, any_held, any_revocations, any_runtime};
use crate::support::*;

type Told = BTreeSet<(String, RuntimeId, String, String)>;

fn told(changes: &[FeatureChange]) -> Told {
    let one = |change: &FeatureChange| {
        let reasons = (format!("{:?}", change.before), format!("{:?}", change.after));
        let of = |runtime: &RuntimeId| {
            (change.feature.to_string(), *runtime, reasons.0.clone(), reasons.1.clone())
        };
        change.runtimes.iter().map(of).collect::<Vec<_>>()
    };
    changes.iter().flat_map(one).collect()
}

fn answer(
    state: &PolicyState,
    now: &Now,
    runtime: &RuntimeFacts,
    feature: &str,
) -> Result<String, String> {
    let question = Question { tenant_id: tenant(1), runtime, feature, consume: None };
    match state.resolve(&question, &Restraints::default(), now, Link::Offline) {
        Resolution::Granted(grant) => Ok(format!("Ok({:?})", grant.mode)),
        Resolution::Refused(refused) => Err(format!("Err({:?})", refused.reason)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn what_stops_and_begins_is_what_every_runtime_would_be_answered(
        (old, new) in (any_held(), any_held()),
        (old_list, new_list) in (any_revocations(), any_revocations()),
        same_documents in proptest::bool::ANY,
        mut runtimes in vec(any_runtime(), 0..6),
        hours in vec(0_u32..2_600, 2),
        same_instant in proptest::bool::ANY,
        number in select(vec![1_u64, 2]),
    ) {
        for (n, runtime) in (1..).zip(&mut runtimes) {
            // Runtime 1 is the one that entitlements may name.
            runtime.runtime_id = runtime_id(n);
        }
        let before = state_barring(&old, Some(&old_list));
        let after = if same_documents {
            state_barring(&old, Some(&old_list))
        } else {
            state_barring(&new, Some(&new_list))
        };
        let instant = |hours: u32| now_at(at("2027-01-01T00:00:00Z") + HOUR * hours);
        let then = instant(if same_instant { hours[0] } else { hours[1] });
        let (then, now) = (then, instant(hours[0]));
        let registered: Vec<_> =
            runtimes.iter().map(|runtime| (tenant(number), runtime.clone())).collect();
        let side = |policy, now| PolicyAt { policy, now, link: Link::Offline };
        let changes = Changes::between(&side(&before, &now), &side(&after, &then), &registered);

        let (mut stops, mut begins) = (Told::new(), Told::new());
        for runtime in runtimes.iter().filter(|_| number == 1) {
            for feature in FEATURES {
                let key = |before, after| {
                    (feature.to_owned(), runtime.runtime_id, before, after)
                };
                match (
                    answer(&before, &now, runtime, feature),
                    answer(&after, &then, runtime, feature),
                ) {
                    (Ok(old), Err(new)) => drop(stops.insert(key(old, new))),
                    (Err(old), Ok(new)) => drop(begins.insert(key(old, new))),
                    _ => {}
                }
            }
        }
        if number == 1 {
            prop_assert_eq!(told(&changes.stops), stops);
            prop_assert_eq!(told(&changes.begins), begins);
        }
        let listed: usize = changes.stops.iter().chain(&changes.begins).map(|c| c.runtimes.len()).sum();
        prop_assert_eq!(listed, told(&changes.stops).len() + told(&changes.begins).len());
        if same_documents && same_instant {
            prop_assert!(changes.is_empty(), "{changes:?}");
        }
    }

    #[test]
    fn nothing_is_otherwise_where_nothing_is_changed(
        held in any_held(),
        list in any_revocations(),
        hours in 0_u32..2_600,
    ) {
        let now = now_at(at("2027-01-01T00:00:00Z") + HOUR * hours);
        let (one, same) = (state_barring(&held, Some(&list)), state_barring(&held, Some(&list)));
        let side = |policy| PolicyAt { policy, now: &now, link: Link::Offline };
        let changes = Changes::between(&side(&one), &side(&same), &[(tenant(1), runtime())]);
        prop_assert!(changes.is_empty(), "{changes:?}");
        let nothing = PolicyState::default();
        let from_nothing = Changes::between(&side(&nothing), &side(&one), &[]);
        prop_assert_eq!(from_nothing.lines.is_empty(), one.lines(&now).is_empty());
        prop_assert!(from_nothing.lines.iter().all(|line| line.lost.is_empty()));
        prop_assert!(now.instant > Timestamp::MIN);
    }
}
