//! Thresholds: how many keys must sign, and what is left of a document when one of them is revoked.

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Site, Vendor};

/// A vendor whose root lists a second license key, and that root.
fn with_a_second_key() -> (Vendor, Document) {
    let vendor = Vendor::new();
    vendor.makes_key("second.key");
    let root = vendor.changes_root("add-key license second.key --name second");
    (vendor, root)
}

/// A license that these keys have signed.
fn signed_by(vendor: &Vendor, keys: &[&str], serial: u64, before: Option<&Document>) -> Document {
    let template = vendor.template(|l| match before {
        Some(before) => l.renewing(before).feature("export"),
        None => l.feature("export"),
    });
    let keys: String = keys.iter().map(|key| format!("--key {key} ")).collect();
    let out = vendor.next("license");
    let new = if before.is_some() { "" } else { "--new-id" };
    vendor.says(&format!(
        "issue {} {new} --serial {serial} {keys} --root {} --out {}",
        template.path().display(),
        vendor.root_now().path().display(),
        out.display()
    ));
    Document::at(out)
}

#[test]
fn a_license_that_two_keys_signed_outlives_the_revocation_of_one() {
    let (vendor, second_root) = with_a_second_key();
    let by_both = signed_by(&vendor, &["license.key", "second.key"], 1, None);
    let mut site = Site::new(&vendor).trusting();
    site.imports(&second_root.and(&[&by_both])).done();
    let courses = site.runtime(Courses).registered();
    let revoked = vendor.changes_root("revoke-key second");
    let told = site.previews(&revoked);
    assert_eq!(told["fallen"].as_array().unwrap().len(), 0, "{told:#}");
    site.imports(&revoked).done();
    courses.check("export").allowed();
    site.killed().started();
    courses.check("export").allowed();
}

#[test]
fn a_license_that_the_revoked_key_alone_signed_falls_and_the_other_comes_back() {
    let (vendor, second_root) = with_a_second_key();
    let first = signed_by(&vendor, &["license.key"], 1, None);
    let by_second = signed_by(&vendor, &["second.key"], 2, Some(&first));
    let mut site = Site::new(&vendor).trusting();
    site.imports(&second_root.and(&[&first])).done();
    site.imports(&by_second).done();
    let courses = site.runtime(Courses).registered();
    let revoked = vendor.changes_root("revoke-key second");
    site.imports(&revoked.and(&[&first])).done();
    let serials: Vec<_> = site.licenses().iter().map(|one| one["serial"].clone()).collect();
    assert_eq!(serials, [1]);
    courses.check("export").allowed();
    site.killed().started();
    courses.check("export").allowed();
    site.imports(&by_second).refused(Code::SignatureKeyRevoked);
}

#[test]
fn where_two_must_sign_one_is_not_enough_and_what_stood_before_stays() {
    let (vendor, second_root) = with_a_second_key();
    let by_one = signed_by(&vendor, &["license.key"], 1, None);
    let site = Site::new(&vendor).trusting();
    site.imports(&second_root.and(&[&by_one])).done();
    let courses = site.runtime(Courses).registered();
    let late = signed_by(&vendor, &["license.key"], 2, Some(&by_one));
    let stricter = vendor.changes_root("set-threshold license 2");
    let told = site.previews(&stricter);
    let threshold = &told["changes"]["trust"]["thresholds"][0];
    assert_eq!((&threshold["before"], &threshold["after"]), (&1.into(), &2.into()), "{told:#}");
    site.imports(&stricter).done();
    courses.check("export").allowed();
    site.imports(&late).refused(Code::SignatureThreshold);
    site.imports(&signed_by(&vendor, &["license.key", "second.key"], 2, Some(&by_one))).done();
    courses.check("export").allowed();
}

/// The license of next year falls with its key as the one of this year does.
#[test]
fn what_waits_falls_with_its_key_too() {
    let (vendor, second_root) = with_a_second_key();
    let first = signed_by(&vendor, &["license.key"], 1, None);
    let template = vendor.template(|l| {
        l.renewing(&first).begins(&farhold_tests::site::start_of(30)).feature("gold")
    });
    let waiting = vendor.next("license");
    vendor.says(&format!(
        "issue {} --serial 2 --key second.key --root {} --out {}",
        template.path().display(),
        vendor.root_now().path().display(),
        waiting.display()
    ));
    let site = Site::new(&vendor).trusting();
    site.imports(&second_root.and(&[&first, &Document::at(waiting)])).done();
    assert_eq!(site.licenses().len(), 2);
    site.imports(&vendor.changes_root("revoke-key second")).done();
    assert_eq!(site.licenses().len(), 1);
    site.runtime(Courses).registered().check("export").allowed();
}

#[test]
fn a_key_taken_out_and_one_put_in_are_two_steps_or_one() {
    let (vendor, second_root) = with_a_second_key();
    let license = signed_by(&vendor, &["second.key"], 1, None);
    let site = Site::new(&vendor).trusting();
    site.imports(&second_root.and(&[&license])).done();
    let without = vendor.changes_root("remove-key second");
    site.imports(&without).done();
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    // Removed is not revoked; it is when the vendor learns of the theft, by its whole id.
    let root = second_root.payload();
    let ids = root["roles"]["license"]["key_ids"].as_array().unwrap();
    let now = without.payload();
    let kept = now["roles"]["license"]["key_ids"].as_array().unwrap();
    let gone = ids.iter().find(|id| !kept.contains(id)).unwrap().as_str().unwrap();
    site.imports(&vendor.changes_root(&format!("revoke-key {gone}"))).done();
    courses.check("export").denied(Code::LicenseMissing);
}
