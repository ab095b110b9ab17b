//! The main job: sign, trust, import, register, check, consume, survive, export, receipt.

use farhold_contract::{Code, mode::Mode, model::RuntimeType::Courses};
use farhold_tests::site::{Site, TENANT_B, Vendor};

#[test]
fn a_license_is_signed_carried_used_up_and_accounted_for() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(3).per("P1D").feature("exams"));
    let mut site = Site::new(&vendor).trusting().holding(&license);

    let courses = site.runtime(Courses).registered();
    courses.check("exams").allowed().mode(Mode::Offline);
    courses.check("export").allowed().remaining(3);
    courses.check("export").consume(2).allowed().remaining(1);
    courses.check("export").consume(2).denied(Code::QuotaExhausted);
    courses.check("export").consume(1).allowed().remaining(0);
    courses.check("export").denied(Code::QuotaExhausted);
    let event = courses.event("feature.used");
    courses.tells(&event).answer().ok();

    site.killed().started();
    courses.check("export").consume(1).denied(Code::QuotaExhausted);
    courses.check("exams").allowed();
    courses.tells(&event).answer().ok();
    assert_eq!(site.audit().of_type("feature.used").len(), 1, "a retry is not kept twice");

    let export = site.export();
    let device_key = site.device_key();
    let verified = vendor.verifies_export(&export, &device_key);
    assert_eq!(verified["verified"], true);
    assert_eq!(verified["device_key_known"], true);
    assert_eq!(verified["by_class"]["usage"], 1);

    site.imports(&vendor.receipt(&export)).done();
    let queue = site.admin("GET", "/admin/queue").answer().ok();
    let receipted = verified["to_seq"].as_u64().unwrap();
    assert_eq!(queue["acknowledged_seq"], receipted);
    // Only what the import itself left behind waits for the next export.
    let left = site.audit().events().split_off(usize::try_from(receipted).unwrap());
    let left: Vec<_> = left.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(left, ["agent.bundle.imported", "agent.receipt.imported"]);
}

#[test]
fn a_tampered_bundle_and_anothers_license_are_refused_and_told() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);

    let renewal = vendor.license(|l| l.renewing(&license).feature("export").feature("exams"));
    site.imports(&renewal.tampered()).refused(Code::SignatureInvalid);
    let others = vendor.license(|l| l.tenant(TENANT_B).feature("export"));
    site.imports(&others).refused(Code::TenantMismatch);

    let refused = site.audit().of_type("agent.bundle.refused");
    let codes: Vec<_> = refused.iter().map(|event| event["payload"]["code"].clone()).collect();
    assert_eq!(codes, ["signature.invalid", "tenant.mismatch"]);
    assert!(site.suffers("bundle_rejected"));

    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    courses.check("exams").denied(Code::FeatureNotGranted);
    site.imports(&renewal).done();
    courses.check("exams").allowed();
    assert!(!site.suffers("bundle_rejected"));
    site.imports(&renewal).refused(Code::BundleSuperseded);
}
