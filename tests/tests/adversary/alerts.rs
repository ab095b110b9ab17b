//! Alerts are for people: nobody buries them under alerts made up, or writes them under another's
//! name.

use serde_json::{Value, json};

use farhold_audit::Previous;
use farhold_tests::{
    kernel_process::Kernel,
    site::{TENANT, TENANT_B, Vendor, ids},
};

use crate::rogue::{Rogue, device_key, enroll, hash, key_and_csr};

/// A Kernel with two organizations, each with a license for one site.
fn kernel(vendor: &Vendor) -> Kernel {
    let kernel = Kernel::start(vendor);
    for tenant in [TENANT, TENANT_B] {
        kernel
            .has_tenant(tenant)
            .holds(&vendor.license(|l| l.managed().tenant(tenant).feature("x")));
    }
    kernel
}

/// A license that a report names.
fn license(id: &str) -> Value {
    json!({"license_id": id, "serial": 1, "sha256": hash()})
}

#[test]
fn a_site_that_makes_licenses_and_roots_up_is_two_alerts() {
    let vendor = Vendor::new();
    let kernel = kernel(&vendor);
    kernel.holds_ledger_of(&vendor);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    let digest = rogue.reports(&json!({})).json().unwrap()["bundle_digest"].clone();
    for _ in 0..3 {
        let licenses: Vec<Value> = (0..2_000).map(|_| license(&ids::v7())).collect();
        let answer = rogue.reports(&json!({
            "licenses": licenses, "bundle_digest": digest,
            "root": {"version": 1, "sha256": hash()},
        }));
        assert_eq!(answer.status, 200);
    }
    assert_eq!(kernel.alert_codes(), ["license.not_in_ledger", "trust.foreign_root"]);
    let counts: Vec<_> = kernel.alerts().iter().map(|alert| alert["count"].clone()).collect();
    assert_eq!(counts, [3, 3]);
}

#[test]
fn a_site_that_names_a_thousand_tenants_is_one_alert() {
    let vendor = Vendor::new();
    let kernel = kernel(&vendor);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    let target = format!("/kernel/agents/{}/bundle", rogue.agent);
    for _ in 0..50 {
        let agent = rogue.agent.clone();
        let answer = rogue.call_as(&ids::v7(), Some(&agent), "GET", &target, b"");
        assert_eq!(answer.json().unwrap()["code"], "tenant.mismatch");
    }
    let strangers: Vec<String> = (0..1_000).map(|_| ids::v7()).collect();
    let events: Vec<_> = strangers.iter().map(|id| (id.as_str(), "login", "user")).collect();
    let run = rogue.run(Previous::NONE, &events);
    let answer = rogue.pushes(&run);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().unwrap()["refused"].as_array().unwrap().len(), 1_000);
    assert_eq!(kernel.alert_codes(), ["tenant.mismatch"]);
    assert!(kernel.alerts()[0].to_string().len() < 4_096);
}

#[test]
fn a_site_that_names_anothers_license_counts_nowhere() {
    let vendor = Vendor::new();
    let kernel = kernel(&vendor);
    let theirs = kernel.verb(["license", "list", "--tenant", TENANT]).done();
    let theirs = theirs["licenses"][0].clone();
    let reported = json!({"licenses": [{
        "license_id": theirs["license_id"], "serial": theirs["serial"], "sha256": theirs["sha256"],
    }]});
    assert_eq!(Rogue::enrolled(&kernel, &[TENANT]).reports(&reported).status, 200);
    for _ in 0..3 {
        assert_eq!(Rogue::enrolled(&kernel, &[TENANT_B]).reports(&reported).status, 200);
    }
    let codes = kernel.alert_codes();
    assert!(!codes.contains(&"license.over_sites".to_owned()), "{codes:?}");
}

#[test]
fn a_used_token_in_fifty_other_hands_is_one_alert_and_one_record() {
    let vendor = Vendor::new();
    let kernel = kernel(&vendor);
    let token = kernel.enrollment_token(&[TENANT]);
    let door = kernel.tunnel(None);
    let (_, csr) = key_and_csr();
    let (device, _folder) = device_key();
    assert_eq!(enroll(&door.door(), &token, &device, &csr).status, 200);
    for _ in 0..50 {
        let (device, _folder) = device_key();
        let answer = enroll(&door.door(), &token, &device, &csr);
        assert_eq!(answer.json().unwrap()["code"], "enroll.token_used");
    }
    assert_eq!(kernel.alert_codes(), ["enroll.token_reused"]);
    assert_eq!(kernel.alerts()[0]["count"], 50);
    assert_eq!(kernel.audit_of_type(TENANT, "kernel.agent.refused").len(), 1);
}

/// Every fork and every gap has an alert of its own, and each has one record's price.
#[test]
fn a_site_that_makes_epochs_up_is_few_alerts() {
    let vendor = Vendor::new();
    let kernel = kernel(&vendor);
    let mut rogue = Rogue::enrolled(&kernel, &[TENANT]);
    for _ in 0..200 {
        let previous = crate::floods::made_up();
        let run = rogue.run(previous, &[(TENANT, "login", "user")]);
        let _ = rogue.pushes(&run);
    }
    let alerts = kernel.verb(["alerts", "list"]).done();
    let alerts = alerts["alerts"].as_array().unwrap().len();
    assert!(alerts <= 100, "{alerts} alerts by one agent");
}
