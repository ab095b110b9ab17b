//! Claims about what people and monitoring are told.

use farhold_bundle::payload::License;
use farhold_contract::condition::ConditionCode;
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
