//! What comes in: revocations, rotated and stolen keys, and everything that is refused.

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, OldKey, Site, Vendor, start_of};

#[test]
fn a_revoked_license_is_denied_and_its_replacement_brings_it_back() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    site.imports(&vendor.revokes(&[&license])).done();
    courses.check("export").denied(Code::LicenseRevoked);
    assert!(site.suffers("license_revoked"));
    site.runtime(Courses).registers().answer().refused(Code::LicenseRevoked);
    site.killed().started();
    courses.check("export").denied(Code::LicenseRevoked);
    site.imports(&vendor.revokes(&[])).refused(Code::BundleConflict);

    let replacement = vendor.license(|l| l.serial(2).feature("export"));
    site.imports(&replacement).done();
    courses.check("export").allowed();
    assert!(!site.suffers("license_revoked"));
    assert_eq!(site.verb(["license", "show"]).done()["licenses"][0]["phase"], "revoked");
}

#[test]
fn a_stolen_key_costs_one_new_root() {
    let vendor = Vendor::new();
    let honest = vendor.license(|l| l.feature("export"));
    let mut site = Site::new(&vendor).trusting().holding(&honest);
    let courses = site.runtime(Courses).registered();
    let forged = vendor.license(|l| {
        l.renewing(&honest).serial((1 << 53) - 1).feature("export").feature("everything")
    });
    site.imports(&forged).done();
    courses.check("everything").allowed();

    let root = vendor.next_root(OldKey::Revoked);
    let reissued = vendor.license(|l| l.renewing(&honest).feature("export"));
    let imported = site.imports(&root.and(&[&reissued])).done();
    assert_eq!(imported["fallen"].as_array().unwrap().len(), 2, "{imported}");
    courses.check("everything").denied(Code::FeatureNotGranted);
    courses.check("export").allowed();
    site.killed().started();
    courses.check("everything").denied(Code::FeatureNotGranted);
    courses.check("export").allowed();
    site.imports(&forged).refused(Code::SignatureKeyRevoked);
    assert_eq!(site.status()["trust"]["version"], 2);
}

#[test]
fn what_a_rotated_key_signed_stays_and_it_signs_nothing_new() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let late = vendor.license(|l| l.renewing(&license).feature("exams"));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    site.imports(&vendor.next_root(OldKey::RotatedOut)).done();
    courses.check("export").allowed();
    site.killed().started();
    courses.check("export").allowed();
    site.imports(&late).refused(Code::SignatureKeyUnknown);
    let renewal = vendor.license(|l| l.renewing(&license).feature("exams"));
    site.imports(&renewal).done();
    courses.check("exams").allowed();
}

#[test]
fn a_bundle_is_taken_whole_or_not_at_all() {
    let vendor = Vendor::new();
    let good = vendor.license(|l| l.product("library").feature("loans"));
    let needing = vendor.license(|l| l.needing_revocations(1).feature("export"));
    let site = Site::new(&vendor).trusting();
    site.imports(&good.and(&[&needing])).refused(Code::BundleIncomplete);
    assert_eq!(site.verb(["license", "show"]).done()["licenses"].as_array().unwrap().len(), 0);
    site.imports(&good.and(&[&needing, &vendor.revokes(&[])])).done();
    let other = vendor.license(|l| l.renewing(&needing).serial(1).feature("another"));
    site.imports(&other).refused(Code::BundleConflict);
}

#[test]
fn a_license_for_another_kind_of_site_or_machine_is_refused() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    let managed = vendor.license(|l| l.managed().feature("export"));
    site.imports(&managed).refused(Code::LicenseMode);
    let elsewhere = Site::new(&vendor).device_key();
    let bound = vendor.license(|l| l.bound_to(&elsewhere).feature("export"));
    site.imports(&bound).refused(Code::LicenseBinding);
    let own = vendor.license(|l| l.bound_to(&site.device_key()).feature("export"));
    site.imports(&own).done();
}

#[test]
fn another_vendors_word_counts_for_nothing() {
    let (vendor, stranger) = (Vendor::new(), Vendor::new());
    let site = Site::new(&vendor).trusting();
    let license = stranger.license(|l| l.feature("export"));
    site.imports(&license).refused(Code::SignatureKeyUnknown);
    let both = stranger.next_root(OldKey::RotatedOut).and(&[&license]);
    let refused = site.imports(&both);
    assert_eq!(refused.exit, 5, "{}", refused.stdout);
    assert_eq!(site.status()["trust"]["version"], 1);
}

#[test]
fn bytes_that_are_no_bundle_are_refused_by_name() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting();
    let offered =
        |name: &str, bytes: &[u8]| site.imports(&Document::written(site.path(name), bytes));
    let bytes = license.bytes();
    site.imports(&license.truncated(bytes.len() / 2)).refused(Code::BundleMalformed);
    offered("crlf", &String::from_utf8(bytes.clone()).unwrap().replace('\n', "\r\n").into_bytes())
        .refused(Code::EnvelopeMalformed);
    offered("empty", b"").refused(Code::BundleMalformed);
    offered("text", b"hello\n").refused(Code::EnvelopeMalformed);
    offered("lines", &b"{}\n".repeat(300)).refused(Code::BundleTooLarge);
    offered("typed", b"FH1:NOT-A-DOCUMENT").refused(Code::TypedFormMalformed);
    site.verb(["import", "not-there"]).refused(Code::InputUnreadable);
    let dry = site.verb(["import", license.path().to_str().unwrap(), "--dry-run"]).done();
    assert_eq!((&dry["applied"], &dry["lines"][0]["outcome"]), (&false.into(), &"new".into()));
    assert_eq!(site.verb(["license", "show"]).done()["licenses"].as_array().unwrap().len(), 0);
}

#[test]
fn a_foreign_receipt_and_one_of_another_branch_confirm_nothing() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let other = Site::new(&vendor).trusting().holding(&license);
    let site = Site::new(&vendor).trusting().holding(&license);
    site.imports(&vendor.receipt(&other.export())).refused(Code::ReceiptForeign);
    let first = site.export();
    let receipt = vendor.receipt(&first);
    site.imports(&receipt).done();
    site.imports(&receipt).refused(Code::BundleSuperseded);
    let queue = site.admin("GET", "/admin/queue").answer().ok();
    let second = site.export();
    site.imports(&vendor.receipt_after(&second, Some(&receipt))).done();
    let after = site.admin("GET", "/admin/queue").answer().ok();
    assert!(after["acknowledged_seq"].as_u64() > queue["acknowledged_seq"].as_u64());
}

#[test]
fn a_tampered_export_earns_no_receipt() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let export = site.export();
    let text = String::from_utf8(export.bytes()).unwrap();
    let changed = text.replacen("agent.trust.installed", "agent.trust.forgotten", 1);
    let changed = Document::written(site.path("changed"), changed.as_bytes());
    let words = ["audit", "verify", changed.path().to_str().unwrap()];
    vendor.tool(words).refused(Code::ChainBroken);
    let cut: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
    let cut = Document::written(site.path("cut"), cut.as_bytes());
    let ran = vendor.tool(["audit", "verify", cut.path().to_str().unwrap()]);
    assert_ne!(ran.exit, 0, "{}", ran.stdout);
}

#[test]
fn a_clock_reset_that_answers_no_request_is_refused() {
    use farhold_bundle::payload::{ClockReset, Role};
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    let reset = ClockReset {
        device_key: site.device_key().parse().unwrap(),
        nonce: "ab".repeat(16),
        time: start_of(0).parse().unwrap(),
    };
    site.imports(&vendor.sealed(&reset, Role::License)).refused(Code::ClockResetForeign);
}
