//! Claims about when phases change: by the calendar, in the license's zone.

use farhold_bundle::payload::{Entitlement, Ladder, License};
use farhold_contract::Timestamp;
use farhold_policy::{Phase, Timeline};

use crate::support::*;

fn phase(timeline: &Timeline, when: &str) -> Phase {
    timeline.phase_at(at(when))
}

#[test]
fn a_license_holds_to_the_end_of_its_last_day_in_its_own_zone() {
    for (zone, end) in [
        (None, "2028-01-01T12:00:00Z"),
        (Some("UTC"), "2028-01-01T00:00:00Z"),
        (Some("America/Sao_Paulo"), "2028-01-01T03:00:00Z"),
        (Some("Asia/Tokyo"), "2027-12-31T15:00:00Z"),
    ] {
        let zoned = License { time_zone: zone.map(str::to_owned), ..license(1) };
        assert_eq!(Timeline::of_license(&zoned).ends, Some(at(end)), "{zone:?}");
    }
}

#[test]
fn rungs_are_laid_end_to_end_by_the_calendar() {
    let laddered = License {
        expires_on: Some(day("2027-01-31")),
        ladder: Ladder {
            warn: Some("P1W".parse().unwrap()),
            grace: Some("P1M".parse().unwrap()),
            restrict: Some("P10D".parse().unwrap()),
        },
        ..license(1)
    };
    let timeline = Timeline::of_license(&laddered);
    assert_eq!(timeline.warns_at, Some(at("2027-01-25T00:00:00Z")));
    assert_eq!(timeline.ends, Some(at("2027-02-01T00:00:00Z")));
    assert_eq!(timeline.grace_ends, Some(at("2027-03-01T00:00:00Z")));
    assert_eq!(timeline.restrict_ends, Some(at("2027-03-11T00:00:00Z")));
    for (when, expected) in [
        ("2026-12-31T23:59:59.999Z", Phase::NotBegun),
        ("2027-01-01T00:00:00Z", Phase::InForce),
        ("2027-01-25T00:00:00Z", Phase::Expiring),
        ("2027-02-01T00:00:00Z", Phase::Grace),
        ("2027-03-01T00:00:00Z", Phase::Restricted),
        ("2027-03-11T00:00:00Z", Phase::Stopped),
        ("9999-12-31T23:59:59Z", Phase::Stopped),
    ] {
        assert_eq!(phase(&timeline, when), expected, "{when}");
    }
}

#[test]
fn a_grace_across_a_change_of_the_clocks_ends_at_midnight_there() {
    // New York goes forward on 2027-03-14: these two weeks are an hour short of 14 × 24 h.
    let summer = License {
        time_zone: Some("America/New_York".to_owned()),
        expires_on: Some(day("2027-03-09")),
        ladder: ladder("P14D", ""),
        ..license(1)
    };
    let timeline = Timeline::of_license(&summer);
    assert_eq!(timeline.ends, Some(at("2027-03-10T05:00:00Z")));
    assert_eq!(timeline.grace_ends, Some(at("2027-03-24T04:00:00Z")));
}

#[test]
fn an_absent_rung_is_no_time_at_all() {
    let timeline = Timeline::of_license(&license(1));
    assert_eq!(timeline.ends, timeline.restrict_ends);
    assert_eq!(phase(&timeline, "2027-12-31T23:59:59.999Z"), Phase::Expiring);
    assert_eq!(phase(&timeline, "2028-01-01T00:00:00Z"), Phase::Stopped);
    let no_grace = License { ladder: ladder("", "P1D"), ..license(1) };
    assert_eq!(phase(&Timeline::of_license(&no_grace), "2028-01-01T00:00:00Z"), Phase::Restricted);
}

#[test]
fn the_warning_begins_sixty_days_before_unless_the_license_says_when() {
    let timeline = Timeline::of_license(&license(1));
    assert_eq!(timeline.warns_at, Some(at("2027-11-02T00:00:00Z")));
    let brief = License { expires_on: Some(day("2027-01-10")), ..license(1) };
    assert_eq!(Timeline::of_license(&brief).warns_at, Some(brief.not_before));
}

#[test]
fn a_license_without_an_end_never_leaves_its_force() {
    let endless =
        License { expires_on: None, released_before: Some(day("2027-07-01")), ..license(1) };
    let timeline = Timeline::of_license(&endless);
    assert_eq!(timeline.phase_at(Timestamp::MAX), Phase::InForce);
    assert_eq!(timeline.ends, None);
}

#[test]
fn an_entitlements_ladder_replaces_the_licenses() {
    let license = License { ladder: ladder("P14D", "P30D"), ..license(1) };
    let strict = Entitlement { ladder: Some(Ladder::default()), ..entitlement("exam") };
    let timeline = Timeline::of_entitlement(&license, &strict);
    assert_eq!(timeline.restrict_ends, Some(at("2028-01-01T00:00:00Z")));
    let early =
        Entitlement { valid_until: Some(at("2027-06-01T00:00:00Z")), ..entitlement("exam") };
    let timeline = Timeline::of_entitlement(&license, &early);
    assert_eq!(timeline.grace_ends, Some(at("2027-06-15T00:00:00Z")));
    assert_eq!(timeline.restrict_ends, Some(at("2027-07-15T00:00:00Z")));
}

#[test]
fn the_licenses_stop_ends_every_ladder() {
    let license = License { ladder: ladder("P14D", ""), ..license(1) };
    let long = Entitlement { ladder: Some(ladder("P10D", "P1Y")), ..entitlement("exam") };
    let timeline = Timeline::of_entitlement(&license, &long);
    assert_eq!(timeline.grace_ends, Some(at("2028-01-11T00:00:00Z")));
    assert_eq!(timeline.restrict_ends, Some(at("2028-01-15T00:00:00Z")));
    let longer = Entitlement { ladder: Some(ladder("P1Y", "P1Y")), ..entitlement("exam") };
    let timeline = Timeline::of_entitlement(&license, &longer);
    assert_eq!(phase(&timeline, "2028-01-14T23:59:59Z"), Phase::Grace);
    assert_eq!(phase(&timeline, "2028-01-15T00:00:00Z"), Phase::Stopped);
    assert_eq!(timeline.grace_ends, timeline.restrict_ends);
}

#[test]
fn a_ladder_past_the_last_year_ends_with_it() {
    let late = License {
        expires_on: Some(day("9999-12-31")),
        time_zone: None,
        ladder: ladder("P100Y", "P100Y"),
        ..license(1)
    };
    assert_eq!(Timeline::of_license(&late).restrict_ends, Some(Timestamp::MAX));
}
