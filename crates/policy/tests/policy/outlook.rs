//! Claims about what every line and entitlement is said to answer at one instant.

use farhold_bundle::payload::{Entitlement, License, LicenseLimits};
use farhold_contract::{Code, mode::Mode, model::RuntimeType};
use farhold_policy::{EntitlementLimits, Link, Phase, Scope};

use crate::support::*;

const MIDYEAR: &str = "2027-06-15T12:00:00Z";

#[test]
fn each_entitlement_is_shown_with_phase_mode_end_and_limits() {
    let limits = LicenseLimits {
        overage: Some(positive(5)),
        concurrency: Some(positive(3)),
        ..metered("lab", 100, Some("P1D")).limits
    };
    let lab = Entitlement { limits, runtime_type: Some(RuntimeType::Labs), ..entitlement("lab") };
    let exam = Entitlement {
        valid_until: Some(at("2027-03-01T00:00:00Z")),
        runtime_id: Some(runtime_id(7)),
        ..entitlement("exam")
    };
    let held = License { ladder: ladder("P1Y", ""), entitlements: vec![lab, exam], ..license(4) };
    let state = state(&[held]);
    let lines = state.outlook(&now(MIDYEAR), Link::Online);
    let license = lines[0].standing.as_ref().unwrap();
    assert_eq!((license.license_id, license.serial), (license_id(1), positive(4)));
    assert_eq!(license.verdict.answer, Ok(Mode::Online));
    let [lab, exam] = &license.entitlements[..] else { panic!("two entitlements") };
    assert_eq!((&*lab.feature, lab.scope), ("lab", Scope::Type(RuntimeType::Labs)));
    assert_eq!((lab.verdict.phase, lab.verdict.answer), (Phase::InForce, Ok(Mode::Online)));
    assert_eq!(lab.verdict.ends, Some(at("2028-01-01T00:00:00Z")));
    let all = EntitlementLimits {
        quota: Some(100),
        overage: Some(5),
        time_window: Some("P1D".to_owned()),
        concurrency: Some(3),
    };
    assert_eq!((&lab.limits, lab.released), (&all, None));
    assert_eq!((&*exam.feature, exam.scope), ("exam", Scope::Runtime(runtime_id(7))));
    assert_eq!((exam.verdict.phase, exam.verdict.answer), (Phase::Grace, Ok(Mode::Grace)));
    assert_eq!(exam.limits, EntitlementLimits::default());
}

#[test]
fn a_line_without_a_license_in_force_says_why_and_what_comes_next() {
    let next = License { not_before: at("2027-07-01T00:00:00Z"), ..license(2) };
    let list = revocations(&[], &[(1, "campus", 2)]);
    let state = state_with(&[license(1), next], Some(&list));
    let lines = state.outlook(&now(MIDYEAR), Link::Detached);
    assert_eq!(lines[0].standing, Err(Code::LicenseRevoked));
    assert_eq!(lines[0].next, Some((positive(2), at("2027-07-01T00:00:00Z"))));
    let lines = state.outlook(&now("2027-07-01T00:00:00Z"), Link::Detached);
    assert_eq!(lines[0].standing.as_ref().unwrap().serial, positive(2));
    assert_eq!(lines[0].next, None);
}

#[test]
fn what_is_covered_without_end_has_a_verdict_of_its_own() {
    let kept = License { released_before: Some(day("2027-07-01")), ..license(1) };
    let state_of =
        |license: License| state(&[license]).outlook(&now("2035-01-01T00:00:00Z"), Link::Detached);
    let lines = state_of(kept.clone());
    let lab = &lines[0].standing.as_ref().unwrap().entitlements[0];
    assert_eq!(lab.verdict.answer, Err(Code::LicenseExpired));
    assert_eq!(lab.released.unwrap().answer, Ok(Mode::Offline));
    // Without an end at all, the others are not covered.
    let lines = state_of(License { expires_on: None, ..kept });
    let lab = &lines[0].standing.as_ref().unwrap().entitlements[0];
    assert_eq!(lab.verdict.answer, Err(Code::LicenseVersion));
    assert_eq!(lab.released.unwrap().answer, Ok(Mode::Offline));
}
