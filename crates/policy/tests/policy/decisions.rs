//! Claims about who is granted what, by which license, in which mode.

use std::collections::BTreeSet;

use farhold_bundle::payload::{AuditRules, DecisionRecord, License};
use farhold_contract::{Code, mode::Mode, model::RuntimeType};
use farhold_policy::{Link, PolicyState, Question, Resolution, Restraints, RuntimeFacts};

use crate::support::*;

const MIDYEAR: &str = "2027-06-15T12:00:00Z";

fn with_ladder() -> License {
    License { ladder: ladder("P14D", "P30D"), ..license(1) }
}

fn mode_at(state: &PolicyState, when: &str, link: Link) -> Mode {
    let runtime = runtime();
    let question =
        Question { tenant_id: tenant(1), runtime: &runtime, feature: "lab", consume: None };
    let resolution = state.resolve(&question, &Restraints::default(), &now(when), link);
    resolution.decide(None, None).0.mode
}

#[test]
fn without_a_license_the_answer_is_no_with_mode_none() {
    let refusal = refused(ask(&state(&[]), "lab", MIDYEAR));
    assert_eq!((refusal.reason, refusal.mode), (Code::LicenseMissing, Mode::None));
    assert!(refusal.records);
    let decision = Resolution::Refused(refusal).decide(None, Some(1)).0;
    assert!(!decision.allowed);
    assert_eq!(decision.reason, Some(Code::LicenseMissing));
}

#[test]
fn an_entitlement_in_force_is_granted_and_names_its_license() {
    let grant = granted(ask(&state(&[license(3)]), "lab", MIDYEAR));
    assert_eq!((grant.license_id, grant.serial), (license_id(1), positive(3)));
    assert_eq!(&*grant.product, "campus");
    assert_eq!(grant.valid_until, Some(at("2028-01-01T00:00:00Z")));
    assert!(grant.counter.is_none());
}

#[test]
fn a_feature_no_license_names_is_not_granted() {
    let refusal = refused(ask(&state(&[license(1)]), "exam", MIDYEAR));
    assert_eq!(refusal.reason, Code::FeatureNotGranted);
    assert_eq!(refusal.license_id, Some(license_id(1)));
}

#[test]
fn another_tenants_license_never_speaks() {
    let other = License { tenant: organization(2), ..license(1) };
    assert_eq!(refused(ask(&state(&[other]), "lab", MIDYEAR)).reason, Code::LicenseMissing);
}

#[test]
fn the_highest_serial_that_has_begun_is_in_force() {
    let next = License { not_before: at("2027-07-01T00:00:00Z"), ..license(2) };
    let state = state(&[next, license(1)]);
    assert_eq!(granted(ask(&state, "lab", "2027-06-30T23:59:59Z")).serial, positive(1));
    assert_eq!(granted(ask(&state, "lab", "2027-07-01T00:00:00Z")).serial, positive(2));
}

#[test]
fn an_ended_higher_serial_does_not_give_way_to_a_lower_one() {
    let short = License { expires_on: Some(day("2027-03-31")), ..license(2) };
    let state = state(&[license(1), short]);
    assert_eq!(refused(ask(&state, "lab", MIDYEAR)).reason, Code::LicenseExpired);
}

#[test]
fn nothing_is_merged_between_serials() {
    let next = License { entitlements: vec![entitlement("exam")], ..license(2) };
    let state = state(&[license(1), next]);
    assert_eq!(refused(ask(&state, "lab", MIDYEAR)).reason, Code::FeatureNotGranted);
    assert!(matches!(ask(&state, "exam", MIDYEAR), Resolution::Granted(_)));
}

#[test]
fn a_license_that_has_not_begun_refuses_with_its_own_reason() {
    let refusal = refused(ask(&state(&[license(1)]), "lab", "2026-12-31T23:59:59.999Z"));
    assert_eq!((refusal.reason, refusal.mode), (Code::LicenseNotBegun, Mode::None));
}

#[test]
fn a_revoked_license_falls_in_every_serial() {
    let list = revocations(&[license_id(1)], &[]);
    let state = state_with(&[license(1), license(2)], Some(&list));
    let refusal = refused(ask(&state, "lab", MIDYEAR));
    assert_eq!((refusal.reason, refusal.serial), (Code::LicenseRevoked, Some(positive(2))));
}

#[test]
fn a_revoked_serial_gives_way_to_the_highest_that_stands() {
    let stolen = License { license_id: license_id(9), ..license(3) };
    let list = revocations(&[license_id(9)], &[]);
    let state = state_with(&[license(1), license(2), stolen], Some(&list));
    assert_eq!(granted(ask(&state, "lab", MIDYEAR)).serial, positive(2));
}

#[test]
fn serials_below_the_bound_of_their_own_line_fall() {
    let other = License { product: "studio".to_owned(), ..license(1) };
    let other = License { entitlements: vec![entitlement("film")], ..other };
    let list = revocations(&[], &[(1, "campus", 2), (2, "studio", 9)]);
    let state = state_with(&[license(1), other], Some(&list));
    assert_eq!(refused(ask(&state, "lab", MIDYEAR)).reason, Code::LicenseRevoked);
    assert!(matches!(ask(&state, "film", MIDYEAR), Resolution::Granted(_)));
}

#[test]
fn expired_license_inside_grace_still_allows() {
    let state = state(&[with_ladder()]);
    let grant = granted(ask(&state, "lab", "2028-01-14T23:59:59Z"));
    assert_eq!(grant.mode, Mode::Grace);
    // v0.1's valid_until shows the signed end, never the grace.
    assert_eq!(grant.valid_until, Some(at("2028-01-01T00:00:00Z")));
    assert!(grant.decide(None, Some(5)).0.allowed);
}

#[test]
fn a_license_past_its_whole_ladder_is_over() {
    let refusal = refused(ask(&state(&[with_ladder()]), "lab", "2028-02-14T00:00:00Z"));
    assert_eq!((refusal.reason, refusal.mode), (Code::LicenseExpired, Mode::None));
}

#[test]
fn the_mode_is_the_first_that_applies() {
    let state = state(&[with_ladder()]);
    for (when, link, expected) in [
        ("2026-06-15T00:00:00Z", Link::Online, Mode::None),
        (MIDYEAR, Link::Online, Mode::Online),
        (MIDYEAR, Link::Offline, Mode::Offline),
        (MIDYEAR, Link::Detached, Mode::Offline),
        ("2027-12-31T23:59:59.999Z", Link::Online, Mode::Online),
        ("2028-01-01T00:00:00Z", Link::Online, Mode::Grace),
        ("2028-01-01T00:00:00Z", Link::Detached, Mode::Grace),
        ("2028-01-15T00:00:00Z", Link::Online, Mode::Restricted),
        ("2028-01-15T00:00:00Z", Link::Offline, Mode::Restricted),
        ("2028-02-14T00:00:00Z", Link::Online, Mode::None),
    ] {
        assert_eq!(mode_at(&state, when, link), expected, "{when} {link:?}");
    }
}

#[test]
fn the_most_particular_entitlement_speaks() {
    let own = metered("lab", 1, None);
    let own = farhold_bundle::payload::Entitlement { runtime_id: Some(runtime_id(1)), ..own };
    let typed = metered("lab", 2, None);
    let typed =
        farhold_bundle::payload::Entitlement { runtime_type: Some(RuntimeType::Labs), ..typed };
    let license = License { entitlements: vec![metered("lab", 3, None), typed, own], ..license(1) };
    let state = state(&[license]);
    let other = RuntimeFacts { runtime_id: runtime_id(2), ..runtime() };
    let course = RuntimeFacts { runtime_type: RuntimeType::Courses, ..other.clone() };
    for (runtime, quota) in [(&runtime(), 1), (&other, 2), (&course, 3)] {
        assert_eq!(granted(ask_as(&state, runtime, "lab", MIDYEAR)).limits.quota, Some(quota));
    }
}

#[test]
fn an_entitlement_for_others_is_no_entitlement() {
    let courses = farhold_bundle::payload::Entitlement {
        runtime_type: Some(RuntimeType::Courses),
        ..entitlement("lab")
    };
    let state = state(&[License { entitlements: vec![courses], ..license(1) }]);
    assert_eq!(refused(ask(&state, "lab", MIDYEAR)).reason, Code::FeatureNotGranted);
}

#[test]
fn each_product_answers_for_its_own_features() {
    let film = License { product: "studio".to_owned(), ..license(7) };
    let film = License { entitlements: vec![entitlement("film")], ..film };
    let state = state(&[license(1), film]);
    assert_eq!(&*granted(ask(&state, "film", MIDYEAR)).product, "studio");
    assert_eq!(&*granted(ask(&state, "lab", MIDYEAR)).product, "campus");
    assert_eq!(refused(ask(&state, "exam", MIDYEAR)).reason, Code::FeatureNotGranted);
}

#[test]
fn among_products_that_refuse_the_reason_that_tells_most_is_given() {
    let film = License { product: "studio".to_owned(), license_id: license_id(2), ..license(7) };
    let film = License { entitlements: vec![entitlement("film")], ..film };
    let list = revocations(&[license_id(2)], &[]);
    let state = state_with(&[license(1), film], Some(&list));
    let refusal = refused(ask(&state, "film", MIDYEAR));
    assert_eq!(refusal.reason, Code::LicenseRevoked);
    assert_eq!(refusal.product.as_deref(), Some("studio"));
    assert_eq!(refused(ask(&state, "exam", MIDYEAR)).reason, Code::FeatureNotGranted);
}

#[test]
fn a_version_outside_the_range_is_not_covered_nor_is_one_that_is_no_version() {
    let ranged = License { versions: Some(">=2, <3".parse().unwrap()), ..license(1) };
    let state = state(&[ranged]);
    for (version, covered) in
        [("2.0.0", true), ("2.99.1", true), ("3.0.0", false), ("1.9.9", false), ("two", false)]
    {
        let runtime = RuntimeFacts { version: version.to_owned(), ..runtime() };
        match ask_as(&state, &runtime, "lab", MIDYEAR) {
            Resolution::Granted(_) => assert!(covered, "{version}"),
            Resolution::Refused(refusal) => {
                assert!(!covered, "{version}");
                assert_eq!(refusal.reason, Code::LicenseVersion);
            }
        }
    }
}

#[test]
fn what_was_released_before_the_day_is_covered_without_end() {
    let kept = License { released_before: Some(day("2027-07-01")), ..license(1) };
    let state = state(&[kept]);
    let of = |released: Option<&str>| RuntimeFacts { released_on: released.map(day), ..runtime() };
    let far = "2040-01-01T00:00:00Z";
    let grant = granted(ask_as(&state, &of(Some("2027-06-30")), "lab", far));
    assert_eq!((grant.mode, grant.valid_until), (Mode::Offline, None));
    for later in [Some("2027-07-01"), None] {
        let refusal = refused(ask_as(&state, &of(later), "lab", far));
        assert_eq!(refusal.reason, Code::LicenseExpired);
        assert!(matches!(ask_as(&state, &of(later), "lab", MIDYEAR), Resolution::Granted(_)));
    }
}

#[test]
fn a_license_without_an_end_covers_only_what_was_released_before_its_day() {
    let endless =
        License { expires_on: None, released_before: Some(day("2027-07-01")), ..license(1) };
    let state = state(&[endless]);
    let early = RuntimeFacts { released_on: Some(day("2026-01-01")), ..runtime() };
    assert!(matches!(
        ask_as(&state, &early, "lab", "2090-01-01T00:00:00Z"),
        Resolution::Granted(_)
    ));
    assert_eq!(refused(ask(&state, "lab", MIDYEAR)).reason, Code::LicenseVersion);
}

#[test]
fn an_entitlement_may_end_before_its_license_and_says_so() {
    let short = farhold_bundle::payload::Entitlement {
        valid_until: Some(at("2027-03-01T00:00:00Z")),
        ..entitlement("exam")
    };
    let state = state(&[License { entitlements: vec![short, entitlement("lab")], ..license(1) }]);
    let grant = granted(ask(&state, "exam", "2027-02-28T23:59:59Z"));
    assert_eq!(grant.valid_until, Some(at("2027-03-01T00:00:00Z")));
    let after = refused(ask(&state, "exam", "2027-03-01T00:00:00Z"));
    assert_eq!(after.reason, Code::EntitlementExpired);
    assert!(matches!(ask(&state, "lab", "2027-03-01T00:00:00Z"), Resolution::Granted(_)));
    assert_eq!(refused(ask(&state, "exam", "2028-06-01T00:00:00Z")).reason, Code::LicenseExpired);
}

#[test]
fn what_the_kernel_took_away_is_refused_with_mode_none() {
    let state = state(&[license(1)]);
    let runtime = runtime();
    let denied =
        Restraints { features_denied: BTreeSet::from(["lab".to_owned()]), ..Restraints::default() };
    for (restraints, reason) in [
        (Restraints { tenant_suspended: true, ..denied.clone() }, Code::RuntimeSuspended),
        (Restraints { runtime_suspended: true, ..Restraints::default() }, Code::RuntimeSuspended),
        (denied, Code::FeatureDenied),
    ] {
        let question =
            Question { tenant_id: tenant(1), runtime: &runtime, feature: "lab", consume: None };
        let refusal = refused(state.resolve(&question, &restraints, &now(MIDYEAR), Link::Online));
        assert_eq!((refusal.reason, refusal.mode), (reason, Mode::None));
        assert_eq!(refusal.license_id, Some(license_id(1)));
    }
}

#[test]
fn a_denied_feature_leaves_the_others_alone() {
    let license =
        License { entitlements: vec![entitlement("lab"), entitlement("exam")], ..license(1) };
    let state = state(&[license]);
    let runtime = runtime();
    let restraints = Restraints {
        features_denied: BTreeSet::from(["exam".to_owned()]),
        ..Restraints::default()
    };
    let question =
        Question { tenant_id: tenant(1), runtime: &runtime, feature: "lab", consume: None };
    let resolution = state.resolve(&question, &restraints, &now(MIDYEAR), Link::Online);
    assert_eq!(granted(resolution).mode, Mode::Online);
}

#[test]
fn the_license_says_which_decisions_leave_an_event() {
    let only = |decisions: &[DecisionRecord]| License {
        audit: AuditRules {
            decisions: decisions.iter().copied().collect(),
            ..AuditRules::default()
        },
        ..license(1)
    };
    for (decisions, denied, consumed, all) in [
        (&[DecisionRecord::Denied, DecisionRecord::Consumed][..], true, true, false),
        (&[DecisionRecord::Consumed], false, true, false),
        (&[DecisionRecord::All], true, true, true),
        (&[], false, false, false),
    ] {
        let state = state(&[only(decisions)]);
        let duties = granted(ask(&state, "lab", MIDYEAR)).audit;
        assert_eq!((duties.denied, duties.consumed, duties.all), (denied, consumed, all));
        assert_eq!(refused(ask(&state, "exam", MIDYEAR)).records, denied);
    }
}

#[test]
fn a_license_of_ten_thousand_entitlements_finds_each_of_them() {
    let all = (0..10_000).map(|n| metered(&format!("feature-{n}"), n + 1, None)).collect();
    let state = state(&[License { entitlements: all, ..license(1) }]);
    for n in [0, 1, 4_999, 9_999] {
        let grant = granted(ask(&state, &format!("feature-{n}"), MIDYEAR));
        assert_eq!(grant.limits.quota, Some(n + 1));
    }
    assert_eq!(refused(ask(&state, "feature-10000", MIDYEAR)).reason, Code::FeatureNotGranted);
}

#[test]
fn an_entitlements_own_end_ends_it_for_what_is_covered_without_end_too() {
    let short = farhold_bundle::payload::Entitlement {
        valid_until: Some(at("2027-03-01T00:00:00Z")),
        ..entitlement("exam")
    };
    let kept = License {
        released_before: Some(day("2027-07-01")),
        entitlements: vec![short],
        ..license(1)
    };
    let state = state(&[kept]);
    let early = RuntimeFacts { released_on: Some(day("2026-06-30")), ..runtime() };
    for when in ["2027-03-01T00:00:00Z", "2035-01-01T00:00:00Z"] {
        let refusal = refused(ask_as(&state, &early, "exam", when));
        assert_eq!(refusal.reason, Code::EntitlementExpired);
    }
}

#[test]
fn a_refusal_by_the_kernel_is_recorded_as_the_license_says() {
    let silent = AuditRules { decisions: BTreeSet::new(), ..AuditRules::default() };
    let state = state(&[License { audit: silent, ..license(1) }]);
    let runtime = runtime();
    let restraints = Restraints { runtime_suspended: true, ..Restraints::default() };
    let question =
        Question { tenant_id: tenant(1), runtime: &runtime, feature: "lab", consume: None };
    let refusal = refused(state.resolve(&question, &restraints, &now(MIDYEAR), Link::Online));
    assert!(!refusal.records);
}
