//! Claims about switches: whose license sets them, for which versions, and for how long.

use farhold_bundle::payload::{Flag, FlagValue, License};
use farhold_policy::{PolicyState, RuntimeFacts};

use crate::support::*;

const MIDYEAR: &str = "2027-06-15T12:00:00Z";

fn flag(key: &str, value: bool, versions: Option<&str>) -> Flag {
    Flag {
        key: key.to_owned(),
        value: FlagValue::Bool(value),
        versions: versions.map(|range| range.parse().unwrap()),
    }
}

fn version(text: &str) -> RuntimeFacts {
    RuntimeFacts { version: text.to_owned(), ..runtime() }
}

fn set(state: &PolicyState, runtime: &RuntimeFacts, when: &str) -> Vec<(String, bool)> {
    let flags = state.flags(tenant(1), runtime, &now(when));
    flags.iter().map(|flag| (flag.key.to_owned(), *flag.value == FlagValue::Bool(true))).collect()
}

fn named(keys: &[(&str, bool)]) -> Vec<(String, bool)> {
    keys.iter().map(|(key, on)| ((*key).to_owned(), *on)).collect()
}

#[test]
fn a_flag_is_set_for_the_versions_it_names_and_for_all_where_it_names_none() {
    let state = state(&[License {
        flags: vec![
            flag("new-editor", true, Some(">=2.1")),
            flag("billing", false, None),
            flag("legacy", true, Some("<2")),
        ],
        ..license(1)
    }]);
    assert_eq!(
        set(&state, &version("2.1.0"), MIDYEAR),
        named(&[("billing", false), ("new-editor", true)])
    );
    assert_eq!(
        set(&state, &version("1.9.9"), MIDYEAR),
        named(&[("billing", false), ("legacy", true)])
    );
}

#[test]
fn a_version_that_is_no_version_matches_no_ranged_flag() {
    let state = state(&[License {
        flags: vec![flag("any", true, None), flag("ranged", true, Some("*"))],
        ..license(1)
    }]);
    for odd in ["nightly", "2.1", "", "v2.1.0"] {
        assert_eq!(set(&state, &version(odd), MIDYEAR), named(&[("any", true)]), "{odd}");
    }
}

#[test]
fn a_license_that_does_not_cover_the_version_sets_nothing_for_it() {
    let state = state(&[License {
        versions: Some("^2".parse().unwrap()),
        flags: vec![flag("any", true, None)],
        ..license(1)
    }]);
    assert_eq!(set(&state, &version("2.5.0"), MIDYEAR), named(&[("any", true)]));
    assert_eq!(set(&state, &version("3.0.0"), MIDYEAR), []);
}

#[test]
fn flags_hold_through_grace_and_restriction_and_end_with_the_stop() {
    let state = state(&[License {
        ladder: ladder("P14D", "P30D"),
        flags: vec![flag("kill", false, None)],
        ..license(1)
    }]);
    let kill = named(&[("kill", false)]);
    for when in ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z", "2028-02-13T23:59:59Z"] {
        assert_eq!(set(&state, &runtime(), when), kill, "{when}");
    }
    for when in ["2026-12-31T23:59:59Z", "2028-02-14T00:00:00Z"] {
        assert_eq!(set(&state, &runtime(), when), [], "{when}");
    }
}

#[test]
fn what_a_license_covers_without_end_keeps_its_flags() {
    let state = state(&[License {
        released_before: Some(day("2027-07-01")),
        flags: vec![flag("any", true, None)],
        ..license(1)
    }]);
    let early = RuntimeFacts { released_on: Some(day("2027-06-30")), ..runtime() };
    let late = RuntimeFacts { released_on: Some(day("2027-07-01")), ..runtime() };
    assert_eq!(set(&state, &early, "2035-01-01T00:00:00Z"), named(&[("any", true)]));
    assert_eq!(set(&state, &late, "2035-01-01T00:00:00Z"), []);
}

#[test]
fn the_license_in_force_decides_alone() {
    let old =
        License { flags: vec![flag("old", true, None), flag("both", true, None)], ..license(1) };
    let next = License {
        flags: vec![flag("both", false, None)],
        not_before: at("2027-07-01T00:00:00Z"),
        ..license(2)
    };
    let list = revocations(&[], &[]);
    let state = state_with(&[old.clone(), next.clone()], Some(&list));
    assert_eq!(set(&state, &runtime(), MIDYEAR), named(&[("both", true), ("old", true)]));
    assert_eq!(set(&state, &runtime(), "2027-07-01T00:00:00Z"), named(&[("both", false)]));
    // A revoked license sets nothing, and its switches go with it.
    let list = revocations(&[license_id(9)], &[]);
    let stolen = License { license_id: license_id(9), serial: positive(7), ..next };
    let state = state_with(&[old, stolen], Some(&list));
    assert_eq!(
        set(&state, &runtime(), "2027-07-01T00:00:00Z"),
        named(&[("both", true), ("old", true)])
    );
}

#[test]
fn each_product_sets_its_own_and_no_other_organizations() {
    let campus = License { flags: vec![flag("dark", true, None)], ..license(1) };
    let studio = License {
        product: "studio".to_owned(),
        license_id: license_id(2),
        serial: positive(4),
        flags: vec![flag("dark", false, None)],
        ..license(1)
    };
    let other =
        License { tenant: organization(2), flags: vec![flag("x", true, None)], ..license(1) };
    let state = state(&[studio, campus, other]);
    let runtime = runtime();
    let flags = state.flags(tenant(1), &runtime, &now(MIDYEAR));
    let shown: Vec<_> = flags.iter().map(|f| (f.product, f.key, f.license_id, f.serial)).collect();
    assert_eq!(
        shown,
        [
            ("campus", "dark", license_id(1), positive(1)),
            ("studio", "dark", license_id(2), positive(4)),
        ]
    );
    assert!(state.flags(tenant(3), &runtime, &now(MIDYEAR)).is_empty());
}
