//! Revocation: by the vendor's verbs, never un-`cat`ed, and never by mistake.

use std::fs;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Site, Vendor};

/// A bundle without the lines of one type.
fn without(bundle: &Document, kind: &str) -> Document {
    let text = String::from_utf8(bundle.bytes()).unwrap();
    let named = format!("\"payloadType\":\"application/vnd.farhold.{kind}.v1+json\"");
    let kept: String = text
        .lines()
        .filter(|line| !line.contains(&named))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(kept.len() < text.len(), "there was a {kind} in it");
    Document::written(bundle.path().with_extension("stripped"), kept.as_bytes())
}

#[test]
fn a_revocation_line_stripped_from_a_bundle_is_missed() {
    let vendor = Vendor::new();
    let old = vendor.license(|l| l.feature("export").feature("gold"));
    let mut site = Site::new(&vendor).trusting().holding(&old);
    let courses = site.runtime(Courses).registered();
    let revocations = vendor.revokes(&[&old]);
    let new = vendor.license(|l| l.serial(2).feature("export").needing_revocations(1));
    let whole = vendor.bundle(&[&revocations, &new]);
    let stripped = without(&whole, "revocations");
    let refused = site.imports(&stripped).refused(Code::BundleIncomplete);
    assert!(refused.to_string().contains("revocations"), "{refused}");
    courses.check("gold").allowed();
    site.imports(&whole).done();
    courses.check("gold").denied(Code::FeatureNotGranted);
    courses.check("export").allowed();
    // Where the revocations stand, the license alone is enough.
    site.imports(&vendor.license(|l| l.renewing(&new).feature("exams").needing_revocations(1)))
        .done();
    site.killed().started();
    courses.check("exams").allowed();
}

#[test]
fn a_root_line_stripped_from_a_bundle_is_missed() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    let second = vendor.changes_root("renew");
    let license = vendor.license(|l| l.feature("export").needing_root(2));
    site.imports(&license).refused(Code::BundleIncomplete);
    site.imports(&second.and(&[&license])).done();
}

#[test]
fn the_tool_itself_makes_no_bundle_that_a_site_would_miss_something_in() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").needing_revocations(1));
    let path = license.path().to_str().unwrap();
    let words = ["bundle", path, "--root", "root.json", "--out", "x.bundle"];
    vendor.tool(words).refused(Code::BundleIncomplete);
    assert!(!vendor.folder().join("x.bundle").exists());
    let known = ["--site-revocations", "1"];
    vendor.tool(words.into_iter().chain(known)).done();
}

#[test]
fn a_bundle_that_takes_a_license_away_needs_the_word_for_it() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    fs::create_dir(vendor.folder().join("issued")).unwrap();
    fs::copy(license.path(), vendor.folder().join("issued/one.json")).unwrap();
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let revocations = vendor.revokes(&[&license]);
    let path = revocations.path().to_str().unwrap();
    let words = ["bundle", path, "--root", "root.json", "--licenses", "issued", "--out", "x"];
    let refused = vendor.tool(words).refused(Code::BundleStrands);
    assert!(refused.to_string().contains("Universidad del Sur"), "{refused}");
    assert!(!vendor.folder().join("x").exists());
    vendor.tool(words.into_iter().chain(["--allow-loss"])).done();
    let bundle = Document::at(vendor.folder().join("x"));
    // The site's operator is told before it happens.
    let told = site.previews(&bundle);
    let lost = &told["changes"]["lines"][0]["lost"][0];
    assert_eq!((&lost["serial"], &lost["why"]), (&1.into(), &"revoked".into()), "{told:#}");
    courses.check("export").allowed();
    site.imports(&bundle).done();
    courses.check("export").denied(Code::LicenseRevoked);
}

#[test]
fn generations_go_forward_only() {
    let vendor = Vendor::new();
    let (one, other) = (
        vendor.license(|l| l.feature("export")),
        vendor.license(|l| l.product("library").feature("loans")),
    );
    let mut site = Site::new(&vendor).trusting().holding(&one).holding(&other);
    let courses = site.runtime(Courses).registered();
    let first = vendor.revokes(&[&one]);
    let second = vendor.revokes_after(&first, &[&other]);
    site.imports(&second).done();
    site.imports(&first).refused(Code::BundleSuperseded);
    let rival = vendor.revokes_after(&first, &[]);
    site.imports(&rival).refused(Code::BundleConflict);
    for _ in 0..2 {
        courses.check("export").denied(Code::LicenseRevoked);
        courses.check("loans").denied(Code::LicenseRevoked);
        site.killed().started();
    }
}

#[test]
fn a_generation_that_takes_a_revocation_back_needs_the_word_for_it_too() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let first = vendor.revokes(&[&license]);
    site.imports(&first).done();
    courses.check("export").denied(Code::LicenseRevoked);
    let id = license.payload()["license_id"].as_str().unwrap().to_owned();
    let line = format!(
        "revoke --from {} --restore {id} --key revocation.key --root root.json --out second.json",
        first.path().display()
    );
    vendor.tool(line.split(' ')).refused(Code::UsageInvalid);
    vendor.says(&format!("{line} --allow-loss"));
    site.imports(&Document::at(vendor.folder().join("second.json"))).done();
    courses.check("export").allowed();
}
