//! Claims about what counts, where, and for how long.

use std::collections::BTreeSet;

use farhold_bundle::payload::{Entitlement, License, LicenseLimits};
use farhold_contract::{Code, call::check::Usage, mode::Mode, model::Limits};
use farhold_policy::{Counter, CounterKey, CounterScope, Grant, Link, Now, Question, Restraints};

use crate::support::*;

const MIDYEAR: &str = "2027-06-15T12:00:00Z";
const MAX: u64 = (1 << 53) - 1;

fn granting(entitlement: Entitlement) -> License {
    License { entitlements: vec![entitlement], ..license(1) }
}

fn grant_of(entitlement: Entitlement, when: &str) -> Grant {
    granted(ask(&state(&[granting(entitlement)]), "lab", when))
}

fn used(used: u64) -> Option<Counter> {
    Some(Counter { window_start: None, used })
}

#[test]
fn a_look_needs_one_unit_and_takes_none() {
    let grant = grant_of(metered("lab", 10, None), MIDYEAR);
    let (decision, changed) = grant.decide(used(9), None);
    assert!(decision.allowed && changed.is_none());
    assert_eq!(decision.usage, Some(Usage { used: 9, remaining: 1, resets_at: None }));
    assert_eq!(decision.limits, Limits { quota: Some(10), time_window: None });
    let (decision, changed) = grant.decide(used(10), None);
    assert_eq!((decision.allowed, decision.reason), (false, Some(Code::QuotaExhausted)));
    assert!(changed.is_none());
}

#[test]
fn consuming_takes_all_its_units_or_none() {
    let grant = grant_of(metered("lab", 10, None), MIDYEAR);
    let (decision, changed) = grant.decide(used(7), Some(3));
    assert!(decision.allowed);
    assert_eq!((changed, decision.usage.map(|u| (u.used, u.remaining))), (used(10), Some((10, 0))));
    let (decision, changed) = grant.decide(used(8), Some(3));
    assert_eq!((decision.allowed, changed), (false, None));
    assert_eq!(decision.usage.map(|u| (u.used, u.remaining)), Some((8, 2)));
}

#[test]
fn an_exhausted_quota_keeps_the_mode_of_its_license() {
    let grant = grant_of(metered("lab", 10, None), MIDYEAR);
    assert_eq!(grant.decide(used(10), Some(1)).0.mode, Mode::Offline);
}

#[test]
fn overage_is_still_given() {
    let limits = LicenseLimits { overage: Some(positive(2)), ..metered("lab", 10, None).limits };
    let grant = grant_of(Entitlement { limits, ..entitlement("lab") }, MIDYEAR);
    let (decision, changed) = grant.decide(used(10), Some(2));
    assert_eq!((decision.allowed, changed), (true, used(12)));
    assert_eq!(grant.decide(used(10), None).0.usage.map(|u| u.remaining), Some(2));
    assert!(!grant.decide(used(12), None).0.allowed);
    assert_eq!(decision.limits.quota, Some(10));
}

#[test]
fn without_a_quota_anything_may_be_consumed_and_nothing_is_counted() {
    let grant = grant_of(entitlement("lab"), MIDYEAR);
    let (decision, changed) = grant.decide(None, Some(u64::MAX));
    assert!(decision.allowed);
    assert_eq!((decision.usage, changed), (None, None));
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    let limits = LicenseLimits { overage: Some(positive(MAX)), ..metered("lab", MAX, None).limits };
    let grant = grant_of(Entitlement { limits, ..entitlement("lab") }, MIDYEAR);
    assert!(!grant.decide(None, Some(u64::MAX)).0.allowed);
    assert_eq!(grant.decide(None, Some(2 * MAX)).1, used(2 * MAX));
    let (decision, changed) = grant.decide(used(u64::MAX), Some(1));
    assert_eq!((decision.allowed, changed), (false, None));
}

#[test]
fn zero_units_are_a_look() {
    let grant = grant_of(metered("lab", 1, None), MIDYEAR);
    assert_eq!(grant.decide(None, Some(0)).1, None);
    assert!(!grant.decide(used(1), Some(0)).0.allowed);
}

#[test]
fn lifetime_use_belongs_to_the_contract_across_its_serials() {
    let mut counters = Counters::default();
    let first = state(&[granting(metered("lab", 10, None))]);
    assert!(counters.take(&first, "lab", MIDYEAR, 8));
    let renewed = License { serial: positive(2), ..granting(metered("lab", 10, None)) };
    let second = state(std::slice::from_ref(&renewed));
    assert!(!counters.take(&second, "lab", MIDYEAR, 3));
    let another = state(&[License { license_id: license_id(2), ..renewed }]);
    assert!(counters.take(&another, "lab", MIDYEAR, 10));
}

#[test]
fn windowed_use_belongs_to_the_product_across_its_licenses() {
    let mut counters = Counters::default();
    let first = granting(metered("lab", 10, Some("P1M")));
    assert!(counters.take(&state(std::slice::from_ref(&first)), "lab", MIDYEAR, 8));
    let next = License { license_id: license_id(2), serial: positive(2), ..first.clone() };
    assert!(!counters.take(&state(&[next]), "lab", MIDYEAR, 3));
    let other = License { product: "studio".to_owned(), ..first };
    assert!(counters.take(&state(&[other]), "lab", MIDYEAR, 10));
}

#[test]
fn a_quota_begins_anew_when_its_window_turns() {
    let mut counters = Counters::default();
    let state = state(&[granting(metered("lab", 10, Some("P1D")))]);
    assert!(counters.take(&state, "lab", "2027-06-15T23:59:59Z", 10));
    assert!(!counters.take(&state, "lab", "2027-06-15T23:59:59.999Z", 1));
    let grant = granted(ask(&state, "lab", "2027-06-15T23:59:59.999Z"));
    let usage = counters.decide(&grant, None).usage.unwrap();
    assert_eq!(usage.resets_at, Some(at("2027-06-16T00:00:00Z")));
    assert!(counters.take(&state, "lab", "2027-06-16T00:00:00Z", 10));
}

#[test]
fn a_window_that_closed_never_opens_again() {
    let mut counters = Counters::default();
    let state = state(&[granting(metered("lab", 10, Some("P1D")))]);
    assert!(counters.take(&state, "lab", "2027-06-16T00:00:00Z", 9));
    // The clock goes back over midnight: the later window stays the open one.
    assert!(!counters.take(&state, "lab", "2027-06-15T12:00:00Z", 2));
    let grant = granted(ask(&state, "lab", "2027-06-15T12:00:00Z"));
    let usage = counters.decide(&grant, Some(1)).usage.unwrap();
    assert_eq!((usage.used, usage.resets_at), (10, Some(at("2027-06-17T00:00:00Z"))));
    assert!(!counters.take(&state, "lab", "2027-06-16T12:00:00Z", 1));
}

#[test]
fn quotas_do_not_begin_anew_in_the_restricted_phase() {
    let license =
        License { ladder: ladder("P14D", "P30D"), ..granting(metered("lab", 10, Some("P1D"))) };
    let state = state(&[license]);
    let mut counters = Counters::default();
    assert!(counters.take(&state, "lab", "2028-01-14T23:00:00Z", 7));
    // Midnight ends the grace and would turn the window.
    assert!(!counters.take(&state, "lab", "2028-01-15T00:00:00Z", 4));
    assert!(counters.take(&state, "lab", "2028-01-20T00:00:00Z", 3));
    assert!(!counters.take(&state, "lab", "2028-02-13T00:00:00Z", 1));
    let grant = granted(ask(&state, "lab", "2028-02-13T00:00:00Z"));
    assert_eq!(grant.mode, Mode::Restricted);
    assert_eq!(counters.decide(&grant, None).usage.unwrap().resets_at, None);
}

#[test]
fn windows_follow_quota_time_and_ladders_the_instant() {
    let state = state(&[granting(metered("lab", 10, Some("P1D")))]);
    let runtime = runtime();
    let question =
        Question { tenant_id: tenant(1), runtime: &runtime, feature: "lab", consume: None };
    let ahead = Now { quota: at("2027-06-16T12:00:00Z"), ..now("2027-09-01T00:00:00Z") };
    let resolution = state.resolve(&question, &Restraints::default(), &ahead, Link::Detached);
    let span = granted(resolution).counter.unwrap().span.unwrap();
    assert_eq!(span.0, at("2027-06-16T00:00:00Z"));
}

#[test]
fn every_counter_has_a_text_of_its_own() {
    let scopes = [
        CounterScope::Lifetime(license_id(1)),
        CounterScope::Lifetime(license_id(2)),
        CounterScope::Window { product: "a".into(), window: "P1D".into() },
        CounterScope::Window { product: "a".into(), window: "P1M".into() },
        CounterScope::Window { product: "a/b".into(), window: "P1D".into() },
    ];
    let mut texts = BTreeSet::new();
    let mut keys = 0;
    for scope in &scopes {
        for number in [1, 2] {
            for feature in ["a", "b", "b/a", "a:P1D", "P1D"] {
                let key = CounterKey {
                    tenant_id: tenant(number),
                    feature: feature.into(),
                    scope: scope.clone(),
                };
                texts.insert(key.to_key_text());
                keys += 1;
            }
        }
    }
    assert_eq!(texts.len(), keys);
}

#[test]
fn the_text_of_a_counter_never_changes() {
    let window = grant_of(metered("lab", 10, Some("P1D")), MIDYEAR).counter.unwrap();
    assert_eq!(
        window.key.to_key_text(),
        "window|01939b6e-0001-7000-8000-000000000001|campus|P1D|lab"
    );
    let life = grant_of(metered("lab", 10, None), MIDYEAR).counter.unwrap();
    assert_eq!(
        life.key.to_key_text(),
        "life|01939b6e-0001-7000-8000-000000000001|01939b6e-0003-7000-8000-000000000001|lab"
    );
}

#[test]
fn the_quotas_in_force_are_those_of_the_license_in_force_in_each_line() {
    let old = granting(metered("lab", 10, Some("P1D")));
    let next = License { serial: positive(2), ..granting(metered("lab", 25, Some("P1D"))) };
    let free = License { product: "studio".to_owned(), ..granting(entitlement("film")) };
    let policy = state(&[old, next, free]);
    let quotas = policy.quotas(&now(MIDYEAR));
    let shown: Vec<_> = quotas.iter().map(|q| (&*q.feature, q.metered.quota)).collect();
    assert_eq!(shown, [("lab", 25)]);
    let grant = granted(ask(&policy, "lab", MIDYEAR));
    assert_eq!(grant.counter.as_ref(), Some(&quotas[0].metered));
}
