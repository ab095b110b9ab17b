//! Claims about what people are told of the future.

use farhold_bundle::payload::{Entitlement, License};
use farhold_contract::{Timestamp, model::RuntimeType};
use farhold_policy::{Milestone, Phase, PolicyState, Scope, Step};

use crate::support::*;

fn next_year() -> License {
    License {
        not_before: at("2028-01-01T00:00:00Z"),
        expires_on: Some(day("2028-12-31")),
        ..license(2)
    }
}

/// Instant, serial, step, and the features it is told of, one text a milestone.
fn told(milestones: &[Milestone]) -> Vec<String> {
    let text = |milestone: &Milestone| {
        let features: Vec<_> = milestone.entitlements.iter().map(|(name, _)| &**name).collect();
        let of =
            if features.is_empty() { String::new() } else { format!(" {}", features.join(",")) };
        let day = milestone.at.to_string();
        format!("{} {}{of} {}", &day[..10], milestone.serial, milestone.step)
    };
    milestones.iter().map(text).collect()
}

fn all(state: &PolicyState) -> Vec<String> {
    told(&state.milestones(Timestamp::MIN))
}

#[test]
fn a_license_shows_every_rung_of_its_ladder() {
    let state = state(&[License { ladder: ladder("P14D", "P30D"), ..license(1) }]);
    assert_eq!(
        all(&state),
        [
            "2027-01-01 1 begins",
            "2027-11-02 1 is near its end",
            "2028-01-01 1 ends; its grace begins",
            "2028-01-15 1 leaves its grace; restricted from here on",
            "2028-02-14 1 stops",
        ]
    );
}

#[test]
fn rungs_that_are_absent_are_not_told() {
    let without =
        |grace, restrict| all(&state(&[License { ladder: ladder(grace, restrict), ..license(1) }]));
    assert_eq!(without("", "")[2..], ["2028-01-01 1 ends and stops"]);
    assert_eq!(
        without("", "P30D")[2..],
        ["2028-01-01 1 ends; restricted from here on", "2028-01-31 1 stops"]
    );
    assert_eq!(
        without("P14D", "")[2..],
        ["2028-01-01 1 ends; its grace begins", "2028-01-15 1 stops"]
    );
}

#[test]
fn a_superseded_serial_shows_its_takeover_and_not_its_end() {
    let state = state(&[License { ladder: ladder("P14D", "P30D"), ..license(1) }, next_year()]);
    assert_eq!(
        all(&state),
        [
            "2027-01-01 1 begins",
            "2027-11-02 1 is near its end",
            "2028-01-01 2 begins and takes the place of serial 1",
            "2028-11-02 2 is near its end",
            "2029-01-01 2 ends and stops",
        ]
    );
}

#[test]
fn only_what_is_still_to_come_is_told() {
    let state = state(&[license(1), next_year()]);
    let after = told(&state.milestones(at("2028-01-01T00:00:00Z")));
    assert_eq!(after, ["2028-11-02 2 is near its end", "2029-01-01 2 ends and stops"]);
}

#[test]
fn a_gap_between_two_licenses_is_told_with_the_rungs_that_bridge_it() {
    let held = License { ladder: ladder("P14D", "P30D"), ..license(1) };
    let late = License { not_before: at("2028-01-20T00:00:00Z"), ..next_year() };
    assert_eq!(
        all(&state(&[held, late]))[2..5],
        [
            "2028-01-01 1 ends; its grace begins",
            "2028-01-15 1 leaves its grace; restricted from here on",
            "2028-01-20 2 begins and takes the place of serial 1",
        ]
    );
}

#[test]
fn a_serial_that_is_never_in_force_is_not_told() {
    // Serial 3 begins before serial 2, which therefore never comes into force.
    let third = License { not_before: at("2027-07-01T00:00:00Z"), ..license(3) };
    let second = License { not_before: at("2027-10-01T00:00:00Z"), ..license(2) };
    let state = state(&[license(1), second, third]);
    assert!(all(&state).iter().all(|line| !line.contains(" 2 ")), "{:?}", all(&state));
    let views = &state.lines(&now("2027-08-01T00:00:00Z"))[0].licenses;
    let stretches: Vec<_> =
        views.iter().map(|v| (v.serial.as_u64(), v.in_force_from, v.in_force_until)).collect();
    let july = at("2027-07-01T00:00:00Z");
    assert_eq!(
        stretches,
        [(3, Some(july), None), (2, None, None), (1, Some(at("2027-01-01T00:00:00Z")), Some(july)),]
    );
}

#[test]
fn of_two_serials_that_begin_together_the_lower_is_never_in_force() {
    let state = state(&[license(1), license(2)]);
    assert_eq!(all(&state)[0], "2027-01-01 2 begins");
    assert!(all(&state).iter().all(|line| !line.contains(" 1 ")), "{:?}", all(&state));
}

#[test]
fn a_renewal_that_begins_at_the_very_end_leaves_no_gap() {
    let state = state(&[license(1), next_year()]);
    let year_s = 366 * 86_400;
    assert_eq!(state.expires_in(&now("2027-12-31T23:59:50Z")), Some(10 + year_s));
    assert_eq!(state.conditions(&now("2027-12-31T00:00:00Z")), []);
}

#[test]
fn an_entitlement_whose_ladder_says_the_same_goes_with_its_license() {
    let same = Entitlement { ladder: Some(ladder("P14D", "")), ..entitlement("lab") };
    let held = License { ladder: ladder("P14D", ""), entitlements: vec![same], ..license(1) };
    let milestones = state(&[held]).milestones(Timestamp::MIN);
    assert!(milestones.iter().all(|milestone| milestone.entitlements.is_empty()));
}

#[test]
fn a_revoked_renewal_takes_over_nothing() {
    let renewal = License { license_id: license_id(2), ..next_year() };
    let list = revocations(&[license_id(2)], &[]);
    let state = state_with(&[license(1), renewal], Some(&list));
    assert_eq!(all(&state).last().unwrap(), "2028-01-01 1 ends and stops");
}

#[test]
fn entitlements_of_their_own_course_are_told_by_name_and_together() {
    let june = Some(at("2027-06-30T00:00:00Z"));
    let trial = |feature: &str| Entitlement { valid_until: june, ..entitlement(feature) };
    let strict = Entitlement {
        ladder: Some(ladder("", "")),
        runtime_type: Some(RuntimeType::App),
        ..entitlement("film")
    };
    let state = state(&[License {
        ladder: ladder("P14D", ""),
        entitlements: vec![entitlement("lab"), trial("exam"), trial("quiz"), strict],
        ..license(1)
    }]);
    assert_eq!(
        all(&state),
        [
            "2027-01-01 1 begins",
            "2027-05-01 1 exam,quiz is near its end",
            "2027-06-30 1 exam,quiz ends; its grace begins",
            "2027-07-14 1 exam,quiz stops",
            "2027-11-02 1 is near its end",
            "2027-11-02 1 film is near its end",
            "2028-01-01 1 ends; its grace begins",
            "2028-01-01 1 film ends and stops",
            "2028-01-15 1 stops",
        ]
    );
    let milestones = state.milestones(Timestamp::MIN);
    let film = milestones.iter().rfind(|m| !m.entitlements.is_empty()).unwrap();
    assert_eq!(film.entitlements, [("film".into(), Scope::Type(RuntimeType::App))]);
}

#[test]
fn an_entitlement_that_ended_before_its_license_begins_is_told_at_the_beginning() {
    let over = Entitlement { valid_until: Some(at("2026-06-30T00:00:00Z")), ..entitlement("exam") };
    let state = state(&[License { entitlements: vec![over], ..license(1) }]);
    assert_eq!(all(&state)[..2], ["2027-01-01 1 begins", "2027-01-01 1 exam ends and stops"]);
}

#[test]
fn ten_thousand_entitlements_that_end_together_are_one_milestone() {
    let june = Some(at("2027-06-30T00:00:00Z"));
    let trial = |n: usize| Entitlement { valid_until: june, ..entitlement(&format!("lab-{n}")) };
    let state = state(&[License { entitlements: (0..10_000).map(trial).collect(), ..license(1) }]);
    let milestones = state.milestones(at("2027-06-15T00:00:00Z"));
    assert_eq!(milestones[0].entitlements.len(), 10_000);
    assert_eq!(milestones[0].step, Step::Ends { then: Phase::Stopped });
}

#[test]
fn where_all_stops_it_is_said_what_stays_covered() {
    let kept = Some(day("2027-07-01"));
    let with = |grace| License { released_before: kept, ladder: ladder(grace, ""), ..license(1) };
    for grace in ["", "P14D"] {
        let milestones = state(&[with(grace)]).milestones(Timestamp::MIN);
        let (last, before) = milestones.split_last().unwrap();
        assert_eq!(last.kept_before, kept);
        assert!(before.iter().all(|milestone| milestone.kept_before.is_none()));
    }
    let endless = License { expires_on: None, released_before: kept, ..license(1) };
    assert_eq!(all(&state(&[endless])), ["2027-01-01 1 begins"]);
}

#[test]
fn every_line_is_told_in_one_order_of_time() {
    let studio = License {
        product: "studio".to_owned(),
        not_before: at("2027-02-01T00:00:00Z"),
        expires_on: Some(day("2028-03-31")),
        ..license(1)
    };
    let milestones = state(&[license(1), studio]).milestones(Timestamp::MIN);
    let products: Vec<_> = milestones.iter().map(|m| &*m.product).collect();
    assert_eq!(products, ["campus", "studio", "campus", "campus", "studio", "studio"]);
    assert!(milestones.is_sorted_by_key(|milestone| milestone.at));
}
