//! Claims about what people and monitoring are told.

use farhold_bundle::payload::{Entitlement, License};
use farhold_contract::{Code, condition::ConditionCode};
use farhold_policy::{Phase, PolicyState};

use crate::support::*;

fn codes(state: &PolicyState, when: &str) -> Vec<ConditionCode> {
    state.conditions(&now(when)).into_iter().map(|(code, _)| code).collect()
}

fn next_year() -> License {
    License {
        not_before: at("2027-12-20T00:00:00Z"),
        expires_on: Some(day("2028-12-31")),
        ..license(2)
    }
}

#[test]
fn every_license_of_every_line_is_shown_with_its_standing() {
    let other = License { product: "studio".to_owned(), license_id: license_id(2), ..license(5) };
    let list = revocations(&[license_id(2)], &[]);
    let state = state_with(&[license(1), other, next_year()], Some(&list));
    let lines = state.lines(&now("2027-06-15T00:00:00Z"));
    let shown: Vec<_> = lines
        .iter()
        .flat_map(|line| &line.licenses)
        .map(|l| (&*l.product, l.serial.as_u64(), l.phase, l.revoked, l.in_force))
        .collect();
    assert_eq!(
        shown,
        [
            ("campus", 2, Phase::NotBegun, false, false),
            ("campus", 1, Phase::InForce, false, true),
            ("studio", 5, Phase::InForce, true, false),
        ]
    );
    assert_eq!(&*lines[0].licenses[0].issued_to, "Example School");
}

#[test]
fn each_rung_has_its_condition() {
    let state = state(&[License { ladder: ladder("P14D", "P30D"), ..license(1) }]);
    for (when, expected) in [
        ("2026-06-15T00:00:00Z", None),
        ("2027-06-15T00:00:00Z", None),
        ("2027-11-02T00:00:00Z", Some(ConditionCode::LicenseExpiring)),
        ("2028-01-01T00:00:00Z", Some(ConditionCode::LicenseGrace)),
        ("2028-01-15T00:00:00Z", Some(ConditionCode::LicenseRestricted)),
        ("2028-02-14T00:00:00Z", Some(ConditionCode::LicenseExpired)),
    ] {
        assert_eq!(codes(&state, when), Vec::from_iter(expected), "{when}");
    }
}

#[test]
fn a_band_is_said_once() {
    let state = state(&[license(1)]);
    let mut said = Vec::new();
    let mut when = at("2027-10-20T00:00:00Z");
    while when < at("2028-01-01T00:00:00Z") {
        said.extend(state.conditions(&now_at(when)).into_iter().map(|(_, detail)| detail));
        when = when + HOUR;
    }
    said.dedup();
    let bands: Vec<_> =
        said.iter().map(|detail| detail.rsplit_once("within ").unwrap().1).collect();
    assert_eq!(bands, ["60 days", "30 days", "14 days", "7 days", "3 days", "1 day"]);
}

#[test]
fn a_renewal_that_waits_silences_the_warning() {
    let state = state(&[license(1), next_year()]);
    assert_eq!(codes(&state, "2027-12-01T00:00:00Z"), []);
    let late = License { not_before: at("2028-02-01T00:00:00Z"), ..next_year() };
    let state = crate::support::state(&[license(1), late]);
    assert_eq!(codes(&state, "2027-12-01T00:00:00Z"), [ConditionCode::LicenseExpiring]);
}

#[test]
fn a_revoked_license_is_told_until_a_newer_one_takes_its_place() {
    let list = revocations(&[license_id(1)], &[]);
    let state = state_with(&[license(1)], Some(&list));
    assert_eq!(codes(&state, "2027-06-15T00:00:00Z"), [ConditionCode::LicenseRevoked]);
    let replacement = License { license_id: license_id(2), ..license(2) };
    let state = state_with(&[license(1), replacement], Some(&list));
    assert_eq!(codes(&state, "2027-06-15T00:00:00Z"), []);
}

#[test]
fn the_metric_shows_the_earliest_end_and_is_absent_without_one() {
    let other =
        License { product: "studio".to_owned(), expires_on: Some(day("2027-06-30")), ..license(1) };
    let state_of_two = state(&[license(1), other]);
    assert_eq!(state_of_two.expires_in(&now("2027-06-30T23:59:50Z")), Some(10));
    assert_eq!(state_of_two.expires_in(&now("2027-07-01T00:01:00Z")), Some(-60));
    assert_eq!(state(&[]).expires_in(&now("2027-07-01T00:00:00Z")), None);
    let endless =
        License { expires_on: None, released_before: Some(day("2027-07-01")), ..license(1) };
    assert_eq!(state(&[endless]).expires_in(&now("2027-07-01T00:00:00Z")), None);
    let renewed = state(&[license(1), next_year()]);
    let year_s = 366 * 86_400;
    assert_eq!(renewed.expires_in(&now("2027-12-31T23:59:50Z")), Some(10 + year_s));
    assert_eq!(renewed.expires_in(&now("2027-12-01T00:00:00Z")), Some(31 * 86_400 + year_s));
}

#[test]
fn a_revoked_renewal_neither_silences_the_warning_nor_is_told_before_it_begins() {
    let renewal = License { license_id: license_id(2), ..next_year() };
    let list = revocations(&[license_id(2)], &[]);
    let state = state_with(&[license(1), renewal], Some(&list));
    assert_eq!(codes(&state, "2027-12-01T00:00:00Z"), [ConditionCode::LicenseExpiring]);
    assert_eq!(
        codes(&state, "2027-12-25T00:00:00Z"),
        [ConditionCode::LicenseRevoked, ConditionCode::LicenseExpiring]
    );
}

fn details(state: &PolicyState, when: &str) -> Vec<(ConditionCode, String)> {
    state.conditions(&now(when))
}

fn until(feature: &str, end: &str) -> Entitlement {
    Entitlement { valid_until: Some(at(end)), ..entitlement(feature) }
}

const EARLY_END: &str = "2027-06-30T00:00:00Z";

#[test]
fn an_entitlement_that_ends_before_its_license_has_every_rung_of_its_own() {
    let state = state(&[License {
        entitlements: vec![entitlement("lab"), until("exam", EARLY_END)],
        ladder: ladder("P14D", "P30D"),
        ..license(1)
    }]);
    let name = "exam of license 01939b6e-0003-7000-8000-000000000001 serial 1 for campus";
    for (when, expected) in [
        ("2027-04-30T23:00:00Z", None),
        ("2027-06-01T00:00:00Z", Some((ConditionCode::LicenseExpiring, "within 30 days"))),
        ("2027-06-30T00:00:00Z", Some((ConditionCode::LicenseGrace, "ended 2027-06-30"))),
        ("2027-07-14T00:00:00Z", Some((ConditionCode::LicenseRestricted, "all stops 2027-08-13"))),
        ("2027-08-13T00:00:00Z", Some((ConditionCode::LicenseExpired, "ended 2027-06-30"))),
    ] {
        let told = details(&state, when);
        assert_eq!(told.len(), usize::from(expected.is_some()), "{when}: {told:?}");
        if let Some((code, part)) = expected {
            assert_eq!(told[0].0, code, "{when}");
            assert!(told[0].1.starts_with(name) && told[0].1.contains(part), "{told:?}");
        }
    }
}

#[test]
fn an_ended_entitlement_is_told_for_sixty_days_and_no_longer() {
    let state = state(&[License { entitlements: vec![until("exam", EARLY_END)], ..license(1) }]);
    assert_eq!(codes(&state, "2027-08-28T23:59:59Z"), [ConditionCode::LicenseExpired]);
    assert_eq!(codes(&state, "2027-08-29T00:00:00Z"), []);
}

#[test]
fn an_entitlement_whose_ladder_is_stricter_than_its_licenses_is_told_by_itself() {
    let strict = Entitlement { ladder: Some(ladder("", "")), ..entitlement("exam") };
    let state = state(&[License {
        entitlements: vec![entitlement("lab"), strict],
        ladder: ladder("P14D", "P30D"),
        ..license(1)
    }]);
    let said_once = |when, code| {
        let told = details(&state, when);
        assert_eq!((told.len(), told[0].0), (1, code), "{told:?}");
        assert!(told[0].1.starts_with("license ") && !told[0].1.contains(';'), "{told:?}");
    };
    // Before the end both say the same.
    said_once("2027-12-15T00:00:00Z", ConditionCode::LicenseExpiring);
    let told = details(&state, "2028-01-01T00:00:00Z");
    assert_eq!(told[0].0, ConditionCode::LicenseGrace);
    assert_eq!(told[1].0, ConditionCode::LicenseExpired);
    assert!(told[1].1.starts_with("exam of license"), "{told:?}");
    // Where all stops, the license says it for every entitlement.
    said_once("2028-02-14T00:00:00Z", ConditionCode::LicenseExpired);
}

#[test]
fn an_early_end_is_not_told_any_more_once_the_license_has_stopped() {
    let state = state(&[License {
        entitlements: vec![until("exam", "2027-12-30T00:00:00Z")],
        ..license(1)
    }]);
    let told = details(&state, "2027-12-31T00:00:00Z");
    assert_eq!(told.len(), 2, "{told:?}");
    let told = details(&state, "2028-01-01T00:00:00Z");
    assert_eq!((told.len(), told[0].0), (1, ConditionCode::LicenseExpired));
    assert!(told[0].1.starts_with("license ") && !told[0].1.contains(';'), "{told:?}");
}

#[test]
fn entitlements_that_end_together_are_one_detail_and_ten_thousand_stay_readable() {
    let entitlements = (0..10_000).map(|n| until(&format!("lab-{n:05}"), EARLY_END)).collect();
    let state = state(&[License { entitlements, ..license(1) }]);
    let told = details(&state, "2027-06-29T12:00:00Z");
    assert_eq!(told.len(), 1);
    assert!(told[0].1.starts_with("lab-00000, lab-00001, lab-00002 and 9997 more of license"));
    assert!(told[0].1.ends_with("within 1 day"), "{told:?}");
}

#[test]
fn two_lines_with_one_condition_are_both_named() {
    let other = License { product: "studio".to_owned(), license_id: license_id(2), ..license(5) };
    let state = state(&[license(1), other]);
    let told = details(&state, "2027-12-15T00:00:00Z");
    assert_eq!(told.len(), 1);
    assert!(told[0].1.contains("for campus") && told[0].1.contains("for studio"), "{told:?}");
}

#[test]
fn a_takeover_before_its_own_end_silences_an_entitlement_too() {
    let held = License { entitlements: vec![until("exam", EARLY_END)], ..license(1) };
    let next = License { not_before: at("2027-06-20T00:00:00Z"), ..license(2) };
    assert_eq!(codes(&state(&[held.clone(), next.clone()]), "2027-06-10T00:00:00Z"), []);
    let late = License { not_before: at("2027-07-20T00:00:00Z"), ..next };
    let told = codes(&state(&[held, late]), "2027-06-10T00:00:00Z");
    assert_eq!(told, [ConditionCode::LicenseExpiring]);
}

#[test]
fn a_barred_license_raises_no_condition_and_silences_none() {
    let list = revocations(&[license_id(1)], &[]);
    let newer = License { license_id: license_id(2), ..license(2) };
    let held = [(license(1), None), (newer, Some(Code::LicenseBinding))];
    let state = state_barring(&held, Some(&list));
    assert_eq!(codes(&state, "2027-06-15T00:00:00Z"), [ConditionCode::LicenseRevoked]);
    let alone = state_barring(&[(license(1), Some(Code::LicenseBinding))], None);
    assert_eq!(codes(&alone, "2027-12-15T00:00:00Z"), []);
    let waits = [(license(1), None), (next_year(), Some(Code::LicenseBinding))];
    let state = state_barring(&waits, None);
    assert_eq!(codes(&state, "2027-12-15T00:00:00Z"), [ConditionCode::LicenseExpiring]);
}

#[test]
fn the_metric_ends_at_a_gap_that_a_later_renewal_leaves() {
    let brief = License {
        not_before: at("2027-11-01T00:00:00Z"),
        expires_on: Some(day("2027-11-14")),
        ..license(2)
    };
    let after = License {
        not_before: at("2028-01-01T00:00:00Z"),
        expires_on: Some(day("2028-12-31")),
        ..license(3)
    };
    let state = state(&[license(1), brief, after]);
    // Serial 2 will be in force from November on, and ends before serial 3 begins.
    assert_eq!(state.expires_in(&now("2027-11-14T23:59:50Z")), Some(10));
    assert_eq!(state.expires_in(&now("2027-10-31T23:59:50Z")), Some(10 + 14 * 86_400));
}
