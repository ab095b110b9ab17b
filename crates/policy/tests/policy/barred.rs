//! Claims about licenses that stand but that the site does not admit.

use farhold_bundle::payload::{Flag, FlagValue, License};
use farhold_contract::{Code, model::RuntimeType};
use farhold_policy::{Link, Resolution};

use crate::support::*;

const MIDYEAR: &str = "2027-06-15T12:00:00Z";

#[test]
fn a_barred_license_refuses_with_the_reason_it_is_barred_for() {
    for code in
        [Code::LicenseBinding, Code::LicenseReleased, Code::LicenseMode, Code::TenantMismatch]
    {
        let state = state_barring(&[(license(3), Some(code))], None);
        let refusal = refused(ask(&state, "lab", MIDYEAR));
        assert_eq!(refusal.reason, code);
        assert_eq!(refusal.license_id, Some(license_id(1)));
        assert_eq!(refusal.serial, Some(positive(3)));
        assert_eq!(refusal.product.as_deref(), Some("campus"));
        // For a feature that it doesn't name as well: nothing is in force.
        assert_eq!(refused(ask(&state, "exam", MIDYEAR)).reason, code);
        assert_eq!(state.may_register(tenant(1), RuntimeType::Labs, &now(MIDYEAR)), Err(code));
        let outlook = state.outlook(&now(MIDYEAR), Link::Detached);
        assert_eq!(outlook[0].standing, Err(code));
    }
}

#[test]
fn a_barred_serial_hides_none_that_the_site_admits() {
    let held = [(license(1), None), (license(2), Some(Code::LicenseBinding))];
    let state = state_barring(&held, None);
    assert_eq!(granted(ask(&state, "lab", MIDYEAR)).serial, positive(1));
    assert_eq!(refused(ask(&state, "exam", MIDYEAR)).reason, Code::FeatureNotGranted);
}

#[test]
fn what_would_be_in_force_were_it_admitted_gives_the_reason() {
    let waiting = License { not_before: at("2027-09-01T00:00:00Z"), ..license(2) };
    let list = revocations(&[], &[(1, "campus", 1)]);
    let barred = Some(Code::LicenseReleased);
    // One that waits besides.
    let state_of = |held: &[(License, Option<Code>)]| state_barring(held, Some(&list));
    let state = state_of(&[(license(1), barred), (waiting.clone(), None)]);
    assert_eq!(refused(ask(&state, "lab", MIDYEAR)).reason, Code::LicenseReleased);
    // The barred one has not begun, the other neither: waiting helps.
    let state = state_of(&[(license(1), None), (waiting.clone(), barred)]);
    assert_eq!(refused(ask(&state, "lab", "2026-06-15T12:00:00Z")).reason, Code::LicenseNotBegun);
    // Alone, waiting would not help.
    let state = state_of(&[(waiting, barred)]);
    assert_eq!(refused(ask(&state, "lab", MIDYEAR)).reason, Code::LicenseReleased);
}

#[test]
fn revoked_is_revoked_barred_or_not() {
    let list = revocations(&[license_id(1)], &[]);
    let state = state_barring(&[(license(1), Some(Code::LicenseBinding))], Some(&list));
    assert_eq!(refused(ask(&state, "lab", MIDYEAR)).reason, Code::LicenseRevoked);
}

#[test]
fn a_product_that_grants_it_answers_whatever_is_barred_in_another() {
    let studio = License {
        product: "studio".to_owned(),
        entitlements: vec![entitlement("film")],
        ..license(1)
    };
    let state = state_barring(&[(license(1), Some(Code::LicenseBinding)), (studio, None)], None);
    assert!(matches!(ask(&state, "film", MIDYEAR), Resolution::Granted(_)));
    // The barred license names the feature: that tells more than "not granted" by the other.
    assert_eq!(refused(ask(&state, "lab", MIDYEAR)).reason, Code::LicenseBinding);
    assert_eq!(refused(ask(&state, "none", MIDYEAR)).reason, Code::FeatureNotGranted);
}

#[test]
fn a_barred_license_is_shown_and_sets_nothing() {
    let switch = Flag { key: "dark".to_owned(), value: FlagValue::Bool(true), versions: None };
    let held = License { flags: vec![switch], ..license(1) };
    let state = state_barring(&[(held, Some(Code::LicenseBinding))], None);
    let lines = state.lines(&now(MIDYEAR));
    let view = &lines[0].licenses[0];
    assert_eq!((view.barred, view.in_force), (Some(Code::LicenseBinding), false));
    assert_eq!((view.in_force_from, view.in_force_until), (None, None));
    assert_eq!(state.expires_in(&now(MIDYEAR)), None);
    assert_eq!(state.milestones(farhold_contract::Timestamp::MIN), []);
    assert!(state.flags(tenant(1), &runtime(), &now(MIDYEAR)).is_empty());
}
