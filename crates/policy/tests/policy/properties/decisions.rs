//! Any licenses, serials, revocations and times: the answer is the naive model's.

use std::{collections::BTreeSet, time::Duration};

use proptest::{collection::vec, option, prelude::*, sample::select};

use farhold_bundle::payload::{Entitlement, Ladder, License, Revocations};
use farhold_contract::{Code, Timestamp, model::RuntimeType};
use farhold_policy::{Link, Question, Resolution, Restraints, RuntimeFacts, Timeline};

use crate::{
    reference::{Answer, answer},
    support::*,
};

pub const FEATURES: [&str; 3] = ["lab", "exam", "film"];
const TYPES: [RuntimeType; 2] = [RuntimeType::Labs, RuntimeType::App];

fn base() -> Timestamp {
    at("2027-01-01T00:00:00Z")
}

fn hours(count: u64) -> Duration {
    HOUR * u32::try_from(count).unwrap()
}

fn rung() -> impl Strategy<Value = Option<farhold_bundle::Period>> {
    let period = prop_oneof![
        (1_u32..15).prop_map(|n| format!("P{n}D")),
        (1_u32..50).prop_map(|n| format!("PT{n}H")),
    ];
    option::of(period.prop_map(|text| text.parse().unwrap()))
}

prop_compose! {
    fn any_ladder()(warn in rung(), grace in rung(), restrict in rung()) -> Ladder {
        Ladder { warn, grace, restrict }
    }
}

prop_compose! {
    fn any_entitlement()(
        feature in select(&FEATURES[..]),
        scope in 0..4_usize,
        quota in option::of(1_u64..9),
        until_hours in option::weighted(0.3, 0_u64..2_000),
        ladder in option::weighted(0.3, any_ladder()),
    ) -> Entitlement {
        let mut made = match quota {
            Some(quota) => metered(feature, quota, None),
            None => entitlement(feature),
        };
        made.runtime_type = TYPES.get(scope).copied();
        made.runtime_id = (scope == 2).then(|| runtime_id(1));
        made.valid_until = until_hours.map(|count| base() + hours(count));
        made.ladder = ladder;
        made
    }
}

prop_compose! {
    fn any_license()(
        (number, product, serial, id) in (1_u64..3, select(vec!["campus", "studio"]), 1_u64..5, 1_u64..4),
        (begins_days, length_days, endless) in (0_u64..40, 1_u64..50, proptest::bool::weighted(0.15)),
        zone in option::of(select(vec!["UTC", "Asia/Tokyo", "Etc/GMT+5"])),
        ladder in any_ladder(),
        versions in option::weighted(0.3, select(vec![">=2", "<2", "^1.5"])),
        released_days in option::weighted(0.3, 0_u64..60),
        entitlements in vec(any_entitlement(), 0..5),
    ) -> License {
        let civil = |days: u64| {
            let days = i64::try_from(days).unwrap();
            farhold_contract::Date::from(jiff::civil::date(2027, 1, 1) + jiff::Span::new().days(days))
        };
        let mut made = License {
            license_id: license_id(id),
            product: product.to_owned(),
            tenant: organization(number),
            not_before: base() + hours(begins_days * 24),
            expires_on: Some(civil(begins_days + length_days)),
            time_zone: zone.map(str::to_owned),
            ladder,
            versions: versions.map(|text| text.parse().unwrap()),
            released_before: released_days.map(civil),
            ..license(serial)
        };
        if endless {
            made.expires_on = None;
            made.ladder = Ladder::default();
            made.released_before.get_or_insert(civil(30));
        }
        // What the vendor's own tool would refuse to sign is mended, not skipped.
        let end = made.end();
        let mut scopes = BTreeSet::new();
        for mut entitlement in entitlements {
            let until = entitlement.valid_until.filter(|until| end.is_none_or(|end| *until <= end));
            entitlement.valid_until = until;
            if until.is_none() && end.is_none() {
                entitlement.ladder = None;
            }
            let scope =
                (entitlement.feature.clone(), entitlement.runtime_type, entitlement.runtime_id);
            if scopes.insert(scope) {
                made.entitlements.push(entitlement);
            }
        }
        made.entitlements.remove(0);
        made
    }
}

pub fn any_licenses() -> impl Strategy<Value = Vec<License>> {
    vec(any_license(), 0..7).prop_map(|mut licenses| {
        let mut lines = BTreeSet::new();
        let line = |l: &License| (l.tenant.tenant_id, l.product.clone(), l.serial);
        licenses.retain(|license| lines.insert(line(license)));
        licenses
    })
}

prop_compose! {
    pub fn any_revocations()(
        ids in proptest::collection::btree_set(1_u64..5, 0..2),
        below in proptest::collection::btree_map(
            (1_u64..3, select(vec!["campus", "studio"])), 1_u64..5, 0..2,
        ),
    ) -> Revocations {
        let ids: Vec<_> = ids.into_iter().map(license_id).collect();
        let below: Vec<_> = below.into_iter().map(|((n, product), s)| (n, product, s)).collect();
        revocations(&ids, &below)
    }
}

prop_compose! {
    pub fn any_runtime()(
        number in 1_u64..3,
        runtime_type in select(vec![RuntimeType::Labs, RuntimeType::App, RuntimeType::Courses]),
        version in select(vec!["1.4.0", "1.6.2", "2.0.0", "nightly"]),
        released_on in option::of(select(vec!["2027-01-01", "2027-01-20", "2027-06-01"])),
    ) -> RuntimeFacts {
        RuntimeFacts {
            runtime_id: runtime_id(number),
            runtime_type,
            version: version.to_owned(),
            released_on: released_on.map(day),
        }
    }
}

/// Some of them are not admitted.
pub fn any_held() -> impl Strategy<Value = Vec<(License, Option<Code>)>> {
    let code = select(vec![Code::LicenseBinding, Code::LicenseReleased, Code::LicenseMode]);
    let bars = vec(option::weighted(0.25, code), 7);
    (any_licenses(), bars).prop_map(|(licenses, bars)| licenses.into_iter().zip(bars).collect())
}

/// Random hours, and both sides of every instant at which something may change.
pub fn instants(licenses: &[License], random_hours: &[u64]) -> Vec<Timestamp> {
    let mut instants: Vec<_> =
        random_hours.iter().map(|&count| base() - hours(48) + hours(count)).collect();
    for license in licenses {
        let own = license.entitlements.iter().map(|e| Timeline::of_entitlement(license, e));
        for line in own.chain([Timeline::of_license(license)]) {
            let bounds = [Some(line.begins), line.ends, line.grace_ends, line.restrict_ends];
            for bound in bounds.into_iter().flatten() {
                instants.extend([bound, bound - Duration::from_millis(1)]);
            }
        }
    }
    instants
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_the_naive_models(
        held in any_held(),
        list in any_revocations(),
        runtime in any_runtime(),
        random_hours in vec(0_u64..2_600, 12),
        link in select(vec![Link::Detached, Link::Offline, Link::Online]),
    ) {
        let licenses: Vec<_> = held.iter().map(|(license, _)| license.clone()).collect();
        let state = state_barring(&held, Some(&list));
        for instant in instants(&licenses, &random_hours) {
            for feature in FEATURES {
                let tenant_id = tenant(1);
                let question = Question { tenant_id, runtime: &runtime, feature, consume: None };
                let resolution =
                    state.resolve(&question, &Restraints::default(), &now_at(instant), link);
                let actual = match &resolution {
                    Resolution::Refused(refused) => Answer::No(refused.reason),
                    Resolution::Granted(grant) => Answer::Yes {
                        license_id: grant.license_id,
                        serial: grant.serial.as_u64(),
                        quota: grant.limits.quota,
                        mode: grant.mode,
                    },
                };
                let expected = answer(&held, &list, tenant_id, &runtime, feature, instant, link);
                prop_assert_eq!(actual, expected, "{} at {}", feature, instant);
            }
        }
    }
}
