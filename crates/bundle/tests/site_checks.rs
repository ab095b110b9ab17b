//! What a license must be to be taken at one site: tenant, mode, binding, features apart.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use std::collections::BTreeMap;

use farhold_bundle::{SiteFacts, Standing, payload::SiteMode, plan_import};
use farhold_contract::Code;
use serde_json::{Value, json};
use support::*;

fn vendor() -> Vendor {
    Vendor::new(1)
}

fn license(changes: Value) -> Vec<u8> {
    vendor().sign_license(&with(vendor().license_json(1), changes))
}

fn offer(site: &SiteFacts, lines: &[Vec<u8>]) -> Result<Standing, (Code, Option<usize>)> {
    plan_import(&vendor().site(), &bundle(lines), Some(site), now())
        .map(|plan| plan.standing)
        .map_err(|refusal| (refusal.code(), refusal.line))
}

fn refused_at(site: &SiteFacts, line: Vec<u8>) -> Code {
    offer(site, &[line]).unwrap_err().0
}

fn tenant(id: &str) -> Value {
    let mut tenant = vendor().license_json(1)["tenant"].clone();
    tenant["tenant_id"] = json!(id);
    json!({ "tenant": tenant })
}

fn detached(binding: Value) -> Vec<u8> {
    license(json!({ "modes": ["detached"], "binding": binding }))
}

fn detached_site() -> SiteFacts {
    SiteFacts { mode: SiteMode::Detached, ..site_facts() }
}

#[test]
fn the_license_of_one_organization_is_refused_at_another() {
    assert_eq!(refused_at(&site_facts(), license(tenant(TENANT_B))), Code::TenantMismatch);
    let mut both = site_facts();
    both.tenants.insert(TENANT_B.parse().unwrap());
    offer(&both, &[license(tenant(TENANT_B))]).unwrap();
    let nobody = SiteFacts { tenants: Default::default(), ..site_facts() };
    assert_eq!(refused_at(&nobody, license(json!({}))), Code::TenantMismatch);
}

#[test]
fn one_line_for_another_site_refuses_the_whole_bundle() {
    let lines = [license(json!({})), license(tenant(TENANT_B))];
    assert_eq!(offer(&site_facts(), &lines).unwrap_err(), (Code::TenantMismatch, Some(2)));
}

#[test]
fn a_license_is_refused_in_the_wrong_mode() {
    assert_eq!(refused_at(&detached_site(), license(json!({}))), Code::LicenseMode);
    assert_eq!(refused_at(&site_facts(), detached(json!("none"))), Code::LicenseMode);
    offer(&detached_site(), &[detached(json!("none"))]).unwrap();
    let both = || license(json!({ "modes": ["managed", "detached"], "binding": "none" }));
    offer(&site_facts(), &[both()]).unwrap();
    offer(&detached_site(), &[both()]).unwrap();
}

#[test]
fn a_license_bound_to_a_device_is_refused_at_a_detached_stranger() {
    let bound = detached(json!({ "device_key": device().public() }));
    offer(&detached_site(), std::slice::from_ref(&bound)).unwrap();
    let stranger =
        SiteFacts { device_key: Key::new(b"another device").public().clone(), ..detached_site() };
    assert_eq!(refused_at(&stranger, bound), Code::LicenseBinding);
    // A managed license may be bound as well.
    let managed = license(json!({ "binding": { "device_key": device().public() } }));
    offer(&site_facts(), std::slice::from_ref(&managed)).unwrap();
    let stranger = SiteFacts { mode: SiteMode::Managed, ..stranger };
    assert_eq!(refused_at(&stranger, managed), Code::LicenseBinding);
}

#[test]
fn a_fingerprint_binding_bears_as_many_changed_components_as_it_says() {
    let names = ["board", "disk", "machine-id", "nic"];
    let component = |name: &str| (name.to_owned(), hex::encode(&name.as_bytes().repeat(8)[..8]));
    let components: BTreeMap<_, _> = names.map(component).into();
    let bound = detached(json!({ "fingerprint": { "components": components, "require": 2 } }));
    let at_machine = |fingerprint: BTreeMap<String, String>| {
        offer(&SiteFacts { fingerprint, ..detached_site() }, std::slice::from_ref(&bound))
    };
    for changed in 0..=names.len() {
        let mut machine = components.clone();
        for name in &names[..changed] {
            machine.insert((*name).into(), "ff".repeat(8));
        }
        assert_eq!(at_machine(machine).is_ok(), changed <= 2, "{changed} changed");
        let unread = components.clone().into_iter().skip(changed).collect();
        assert_eq!(at_machine(unread).is_ok(), changed <= 2, "{changed} unread");
    }
    let mut more = components.clone();
    more.insert("gpu".into(), "ff".repeat(8));
    at_machine(more).unwrap();
    // Two machines that share one component, as a golden image's machine-id, are two machines.
    let shared = BTreeMap::from([component("machine-id")]);
    assert_eq!(at_machine(shared).unwrap_err().0, Code::LicenseBinding);
}

#[test]
fn a_suspended_status_inside_a_license_is_ignored() {
    let mut suspended = tenant(TENANT_A);
    suspended["tenant"]["status"] = json!("suspended");
    offer(&site_facts(), &[license(suspended)]).unwrap();
}

#[test]
fn what_stands_is_asked_again_at_a_start() {
    let standing = offer(&site_facts(), &[license(json!({}))]).unwrap();
    let license = &standing.licenses()[0];
    site_facts().admits(license).unwrap();
    assert_eq!(detached_site().admits(license).unwrap_err().code(), Code::LicenseMode);
    let moved = SiteFacts { tenants: Default::default(), ..site_facts() };
    assert_eq!(moved.admits(license).unwrap_err().code(), Code::TenantMismatch);
}

#[test]
fn a_vendors_tool_without_a_site_takes_what_one_site_would_not() {
    let standing = vendor().site();
    for line in [
        license(tenant(TENANT_B)),
        detached(json!({ "device_key": device().public() })),
        license(json!({ "needs": { "revocations": 9 } })),
    ] {
        import(&standing, &[line]).unwrap();
    }
}

/// A license of another product, granting one feature.
fn other_product(feature: &str, scope: Value, changes: Value) -> Vec<u8> {
    let entitlement = with(json!({ "feature": feature }), scope);
    license(with(
        json!({ "product": "labs", "license_id": license_id(2), "entitlements": [entitlement] }),
        changes,
    ))
}

#[test]
fn two_products_never_grant_one_feature_to_one_runtime() {
    let runtime = json!({ "runtime_id": "01939b6e-0000-7000-8000-000000000301" });
    // The first license grants live.rooms to runtimes of type courses.
    for (feature, scope, conflict) in [
        ("live.rooms", json!({ "runtime_type": "courses" }), true),
        ("live.rooms", json!({}), true),
        ("live.rooms", json!({ "runtime_type": "labs" }), false),
        ("Live.Rooms", json!({ "runtime_type": "courses" }), false),
        ("other", json!({}), false),
        ("live.rooms", runtime, false),
    ] {
        let what = format!("{feature} {scope}");
        let lines = [license(json!({})), other_product(feature, scope, json!({}))];
        let result = offer(&site_facts(), &lines).map(|_| ());
        let expected = if conflict { Err((Code::LicenseFeatureConflict, None)) } else { Ok(()) };
        assert_eq!(result, expected, "{what}");
    }
}

#[test]
fn a_feature_conflict_is_found_with_what_stands_and_without_a_site() {
    let standing = after(&vendor().site(), &[license(json!({}))]);
    let conflicting = other_product("live.rooms", json!({}), json!({}));
    assert_eq!(refusal(&standing, &[conflicting]), Code::LicenseFeatureConflict);
}

#[test]
fn a_license_that_waits_conflicts_already_and_a_revoked_or_superseded_one_no_more() {
    let waiting = json!({ "not_before": "2027-12-01T00:00:00Z" });
    let lines = [license(json!({})), other_product("live.rooms", json!({}), waiting)];
    assert_eq!(offer(&site_facts(), &lines).unwrap_err().0, Code::LicenseFeatureConflict);

    let other = other_product("live.rooms", json!({}), json!({}));
    let revoked =
        [license(json!({})), other.clone(), vendor().revocations_line(1, &[license_id(1)])];
    offer(&site_facts(), &revoked).unwrap();

    let without = with(vendor().license_json(2), json!({ "entitlements": [] }));
    let superseded = [license(json!({})), other, vendor().sign_license(&without)];
    offer(&site_facts(), &superseded).unwrap();
}

#[test]
fn two_organizations_may_have_one_feature_from_two_products() {
    let mut site = site_facts();
    site.tenants.insert(TENANT_B.parse().unwrap());
    let lines = [license(json!({})), other_product("live.rooms", json!({}), tenant(TENANT_B))];
    offer(&site, &lines).unwrap();
}

#[test]
fn a_feature_moves_from_one_product_to_another_when_the_first_is_over() {
    // The first license ends with the day 2028-01-31 in UTC-12, and has a month of grace.
    let first = |changes| license(with(json!({ "ladder": { "grace": "P1M" } }), changes));
    let follows = |from: &str| {
        other_product(
            "live.rooms",
            json!({}),
            json!({ "not_before": from, "expires_on": "2029-01-31" }),
        )
    };
    let conflicts = |lines: &[Vec<u8>]| match offer(&site_facts(), lines) {
        Ok(_) => false,
        Err(refused) => {
            assert_eq!(refused, (Code::LicenseFeatureConflict, None));
            true
        }
    };
    assert!(conflicts(&[first(json!({})), follows("2028-02-01T12:00:00Z")]));
    assert!(conflicts(&[first(json!({})), follows("2028-03-01T11:59:59Z")]));
    assert!(!conflicts(&[first(json!({})), follows("2028-03-01T12:00:00Z")]));
    // A next serial without the feature ends it earlier.
    let without = json!({ "entitlements": [], "not_before": "2028-01-01T00:00:00Z" });
    let successor = vendor().sign_license(&with(vendor().license_json(2), without));
    assert!(!conflicts(&[first(json!({})), successor.clone(), follows("2028-01-01T00:00:00Z")]));
    assert!(conflicts(&[first(json!({})), successor.clone(), follows("2027-12-31T23:59:59Z")]));
    // But not where this machine does not admit it.
    let bound = json!({ "entitlements": [], "binding": { "device_key": Key::new(b"b").public() } });
    let standing = after(
        &vendor().site(),
        &[first(json!({})), vendor().sign_license(&with(vendor().license_json(2), bound))],
    );
    let offered = plan_import(
        &standing,
        &bundle(&[follows("2027-06-01T00:00:00Z")]),
        Some(&site_facts()),
        now(),
    );
    assert_eq!(refused(offered).0, Code::LicenseFeatureConflict);
    // What covers early releases without end is never over.
    let lasting = first(json!({ "released_before": "2027-01-01" }));
    assert!(conflicts(&[lasting, follows("2028-12-01T00:00:00Z")]));
}

#[test]
fn an_entitlement_past_its_own_stop_conflicts_with_nothing() {
    let ended = |entitlement: Value| license(json!({ "entitlements": [entitlement] }));
    let other = || other_product("live.rooms", json!({}), json!({}));
    for (entitlement, conflict) in [
        (json!({ "feature": "live.rooms" }), true),
        (json!({ "feature": "live.rooms", "valid_until": "2027-05-31T00:00:00Z" }), false),
        (
            json!({
                "feature": "live.rooms", "valid_until": "2027-05-31T00:00:00Z",
                "ladder": { "restrict": "P1W" },
            }),
            true,
        ),
    ] {
        let result = offer(&site_facts(), &[ended(entitlement.clone()), other()]);
        assert_eq!(result.is_err(), conflict, "{entitlement}");
    }
}

#[test]
fn a_license_past_its_stop_conflicts_with_nothing() {
    let standing = after(&vendor().site(), &[license(json!({}))]);
    let late = |now: &str| {
        let lines = [other_product("live.rooms", json!({}), json!({ "expires_on": "2031-12-31" }))];
        plan_import(&standing, &bundle(&lines), Some(&site_facts()), at(now)).map(|_| ())
    };
    assert_eq!(late("2028-02-01T11:59:59Z").unwrap_err().code(), Code::LicenseFeatureConflict);
    late("2028-02-01T12:00:00Z").unwrap();
}

#[test]
fn a_license_given_up_at_this_machine_is_refused_up_to_the_serial_that_was() {
    let serial = |serial: u64| vendor().license_line(serial);
    let mut site = site_facts();
    site.released.insert(license_id(1).parse().unwrap(), typed_number(3));
    for (number, taken) in [(1, false), (3, false), (4, true)] {
        let result = offer(&site, &[serial(number)]).map(|_| ());
        let expected = if taken { Ok(()) } else { Err((Code::LicenseReleased, Some(1))) };
        assert_eq!(result, expected, "serial {number}");
    }
    // Tenant and mode are said first, the binding after it.
    let bound = license(json!({ "binding": { "device_key": Key::new(b"another").public() } }));
    assert_eq!(refused_at(&site, bound), Code::LicenseReleased);
    let elsewhere = SiteFacts { mode: SiteMode::Detached, ..site.clone() };
    assert_eq!(refused_at(&elsewhere, serial(1)), Code::LicenseMode);
    // Another license of this organization is none of that.
    let other = license(json!({ "license_id": license_id(7) }));
    offer(&site, &[other]).unwrap();
}

#[test]
fn a_license_given_up_conflicts_with_nothing() {
    let standing = after(&vendor().site(), &[license(json!({}))]);
    let conflicting = [other_product("live.rooms", json!({}), json!({}))];
    let mut site = site_facts();
    let offered =
        |site: &SiteFacts| plan_import(&standing, &bundle(&conflicting), Some(site), now()).is_ok();
    assert!(!offered(&site));
    site.released.insert(license_id(1).parse().unwrap(), typed_number(1));
    assert!(offered(&site));
}

#[test]
fn a_bundle_is_taken_in_any_state_of_the_license_that_stands() {
    let next = [vendor().license_line(2)];
    let bound = json!({ "binding": { "device_key": Key::new(b"another").public() } });
    let stands: [(&str, Vec<Vec<u8>>, &str); 5] = [
        ("in force", vec![license(json!({}))], "2027-06-01T12:00:00Z"),
        ("not begun", vec![license(json!({}))], "2026-06-01T12:00:00Z"),
        ("ended", vec![license(json!({}))], "2035-06-01T12:00:00Z"),
        (
            "revoked",
            vec![license(json!({})), vendor().revocations_line(1, &[license_id(1)])],
            "2027-06-01T12:00:00Z",
        ),
        ("of another machine", vec![license(bound)], "2027-06-01T12:00:00Z"),
    ];
    for (state, lines, now) in stands {
        let standing = after(&vendor().site(), &lines);
        let plan = plan_import(&standing, &bundle(&next), Some(&site_facts()), at(now));
        assert_eq!(serials(&plan.unwrap().standing), [1, 2], "{state}");
    }
    let mut released = site_facts();
    released.released.insert(license_id(1).parse().unwrap(), typed_number(1));
    let standing = after(&vendor().site(), &[license(json!({}))]);
    plan_import(&standing, &bundle(&next), Some(&released), now()).unwrap();
}

#[test]
fn a_binding_knows_its_components_under_any_name_of_their_family() {
    let hash = |byte: &str| byte.repeat(8);
    let bound = detached(json!({ "fingerprint": {
        "components": { "nic.eth0": hash("aa"), "nic.eth1": hash("bb"), "disk.root": hash("cc") },
        "require": 3,
    }}));
    let at_machine = |machine: &[(&str, &str)]| {
        let machine = machine.iter().map(|&(name, byte)| (name.to_owned(), hash(byte)));
        let site = SiteFacts { fingerprint: machine.collect(), ..detached_site() };
        offer(&site, std::slice::from_ref(&bound)).map(|_| ()).map_err(|(code, _)| code)
    };
    assert_eq!(
        at_machine(&[("nic.wlan0", "bb"), ("nic.enp1s0", "aa"), ("disk.root", "cc")]),
        Ok(())
    );
    let other_family = [("nic.eth0", "aa"), ("disk.eth1", "bb"), ("disk.root", "cc")];
    assert_eq!(at_machine(&other_family), Err(Code::LicenseBinding));
    let once = [("nic.eth0", "aa"), ("disk.root", "cc"), ("disk.data", "cc")];
    assert_eq!(at_machine(&once), Err(Code::LicenseBinding));
}

fn typed_number(number: u64) -> farhold_bundle::Positive {
    farhold_bundle::Positive::new(number).unwrap()
}
