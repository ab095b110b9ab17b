//! Claims about which runtimes may begin while the Kernel can't be asked.

use farhold_bundle::payload::{Entitlement, Ladder, License};
use farhold_contract::{Code, model::RuntimeType};

use crate::support::*;

const MIDYEAR: &str = "2027-06-15T12:00:00Z";

fn for_labs() -> License {
    let labs = Entitlement { runtime_type: Some(RuntimeType::Labs), ..entitlement("lab") };
    License { entitlements: vec![labs], ladder: ladder("P14D", "P30D"), ..license(1) }
}

fn register(licenses: &[License], kind: RuntimeType, when: &str) -> Result<(), Code> {
    state(licenses).may_register(tenant(1), kind, &now(when))
}

#[test]
fn a_type_that_a_license_in_force_names_may_register() {
    assert_eq!(register(&[for_labs()], RuntimeType::Labs, MIDYEAR), Ok(()));
    assert_eq!(register(&[license(1)], RuntimeType::App, MIDYEAR), Ok(()));
    let refused = register(&[for_labs()], RuntimeType::App, MIDYEAR);
    assert_eq!(refused, Err(Code::RuntimeNotLicensed));
}

#[test]
fn an_entitlement_of_one_runtime_lets_no_other_in() {
    let one = Entitlement { runtime_id: Some(runtime_id(1)), ..entitlement("lab") };
    let license = License { entitlements: vec![one], ..license(1) };
    let refused = register(&[license], RuntimeType::Labs, MIDYEAR);
    assert_eq!(refused, Err(Code::RuntimeNotLicensed));
}

#[test]
fn nothing_registers_without_a_license_that_holds() {
    assert_eq!(register(&[], RuntimeType::Labs, MIDYEAR), Err(Code::LicenseMissing));
    let early = register(&[for_labs()], RuntimeType::Labs, "2026-06-15T12:00:00Z");
    assert_eq!(early, Err(Code::LicenseNotBegun));
    let revoked = state_with(&[for_labs()], Some(&revocations(&[license_id(1)], &[])));
    let refused = revoked.may_register(tenant(1), RuntimeType::Labs, &now(MIDYEAR));
    assert_eq!(refused, Err(Code::LicenseRevoked));
    assert_eq!(
        state(&[for_labs()]).may_register(tenant(2), RuntimeType::Labs, &now(MIDYEAR)),
        Err(Code::LicenseMissing)
    );
}

#[test]
fn grace_lets_new_runtimes_in_and_the_restricted_phase_does_not() {
    let at = |when| register(&[for_labs()], RuntimeType::Labs, when);
    assert_eq!(at("2028-01-14T23:59:59Z"), Ok(()));
    assert_eq!(at("2028-01-15T00:00:00Z"), Err(Code::RuntimeRestricted));
    assert_eq!(at("2028-02-14T00:00:00Z"), Err(Code::LicenseExpired));
}

#[test]
fn one_entitlement_in_force_is_enough() {
    let ended = Entitlement {
        valid_until: Some(at("2027-02-01T00:00:00Z")),
        ladder: Some(Ladder::default()),
        ..entitlement("exam")
    };
    let license = License { entitlements: vec![ended, entitlement("lab")], ..license(1) };
    assert_eq!(register(&[license], RuntimeType::Labs, MIDYEAR), Ok(()));
}

#[test]
fn what_is_covered_without_end_may_be_installed_anew_past_the_end() {
    let kept = License { released_before: Some(day("2027-07-01")), ..license(1) };
    let state = state(&[kept]);
    let register = |released| {
        let when = now("2035-01-01T00:00:00Z");
        state.may_register_released(tenant(1), RuntimeType::Labs, released, &when)
    };
    assert_eq!(register(Some(day("2027-06-30"))), Ok(()));
    assert_eq!(register(Some(day("2027-07-01"))), Err(Code::LicenseExpired));
    assert_eq!(register(None), Err(Code::LicenseExpired));
}

#[test]
fn among_products_that_refuse_the_reason_that_tells_most_is_given() {
    let studio = License {
        product: "studio".to_owned(),
        not_before: at("2029-01-01T00:00:00Z"),
        expires_on: Some(day("2029-12-31")),
        ..license(1)
    };
    let refused = register(&[for_labs(), studio], RuntimeType::Labs, "2028-01-20T00:00:00Z");
    assert_eq!(refused, Err(Code::RuntimeRestricted));
}
