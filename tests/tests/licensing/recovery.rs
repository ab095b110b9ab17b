//! Recovery: a key is stolen, and what `drill` says to type brings every site back.

use std::fs;

use serde_json::Value;

use farhold_bundle::payload::{Revocations, Role};
use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Site, Vendor};

/// The highest number there is.
const LAST: u64 = (1 << 53) - 1;

/// Rehearses a theft over the licenses in `issued`; what is said to be done about it.
fn drill(vendor: &Vendor, theft: &str) -> Value {
    // The name that the drill's own words use.
    fs::copy(vendor.root().path(), vendor.folder().join("root.1.json")).unwrap();
    let said = vendor.says(&format!("drill {theft} --root root.1.json --licenses issued"));
    assert_eq!(said["holds"], true, "{said:#}");
    said
}

/// Types every line for `license-tool` that a rehearsal names, as it stands there.
fn types(vendor: &Vendor, rehearsal: &Value) {
    let steps = rehearsal["steps"].as_array().unwrap();
    let lines = steps.iter().flat_map(|step| step["commands"].as_array().unwrap());
    let mut typed = 0;
    for line in lines.map(|line| line.as_str().unwrap()) {
        let Some(line) = line.strip_prefix("license-tool ") else { continue };
        // A root that does not name its keys can't say where they lie.
        let mut line = line.replace("ROOT_KEY", "root.key");
        if line.starts_with("keygen") {
            line.push_str(" --unencrypted");
        }
        vendor.says(&line);
        typed += 1;
    }
    assert!(typed >= 4, "{rehearsal:#}");
}

fn issued(vendor: &Vendor, license: &Document) {
    fs::create_dir_all(vendor.folder().join("issued")).unwrap();
    let name = license.path().file_name().unwrap();
    fs::copy(license.path(), vendor.folder().join("issued").join(name)).unwrap();
}

#[test]
fn a_stolen_license_key_is_healed_by_what_the_drill_says_to_type() {
    let vendor = Vendor::new();
    let honest = vendor.license(|l| l.feature("export"));
    issued(&vendor, &honest);
    let mut robbed = Site::new(&vendor).trusting().holding(&honest);
    let mut spared = Site::new(&vendor).trusting().holding(&honest);
    let courses = robbed.runtime(Courses).registered();
    let forged =
        vendor.license(|l| l.renewing(&honest).serial(LAST).feature("export").feature("gold"));
    robbed.imports(&forged).done();
    courses.check("gold").allowed();

    let rehearsal = drill(&vendor, "stolen-license-key license");
    types(&vendor, &rehearsal);
    let bundle = Document::at(vendor.folder().join(bundle_of(&rehearsal)));
    let told = robbed.previews(&bundle);
    assert_eq!(told["fallen"].as_array().unwrap().len(), 2, "{told:#}");
    let stops = told["changes"]["stops"].as_array().unwrap();
    assert_eq!((stops.len(), &stops[0]["feature"]), (1, &"gold".into()), "{told:#}");
    for site in [&mut robbed, &mut spared] {
        site.imports(&bundle).done();
        site.imports(&forged).refused(Code::SignatureKeyRevoked);
        site.killed().started();
        let serials: Vec<_> =
            site.licenses().iter().map(|license| license["serial"].clone()).collect();
        assert_eq!(serials, [2], "the marks that the thief raised fell with his license");
        site.runtime(Courses).registered().check("export").allowed();
    }
    courses.check("gold").denied(Code::FeatureNotGranted);
    courses.check("export").allowed();
}

/// The file that the rehearsal's own `bundle` writes.
fn bundle_of(rehearsal: &Value) -> String {
    let reissue = rehearsal["reissue"].as_array().unwrap();
    assert_eq!(reissue.len(), 1, "{rehearsal:#}");
    format!("{}.2.bundle", reissue[0]["customer"]["license_id"].as_str().unwrap())
}

#[test]
fn a_stolen_revocation_key_is_healed_by_what_the_drill_says_to_type() {
    let vendor = Vendor::new();
    let honest = vendor.license(|l| l.feature("export"));
    issued(&vendor, &honest);
    let mut robbed = Site::new(&vendor).trusting().holding(&honest);
    let mut spared = Site::new(&vendor).trusting().holding(&honest);
    let courses = robbed.runtime(Courses).registered();
    let everything = Revocations {
        issuer: vendor.issuer().parse().unwrap(),
        generation: farhold_bundle::Positive::new(LAST).unwrap(),
        issued_at: "2020-01-02T00:00:00Z".parse().unwrap(),
        licenses: vec![serde_json::from_value(honest.payload()["license_id"].clone()).unwrap()],
        serials_below: Vec::new(),
        critical: Vec::new(),
    };
    let forged = vendor.sealed(&everything, Role::Revocation);
    robbed.imports(&forged).done();
    courses.check("export").denied(Code::LicenseRevoked);

    let rehearsal = drill(&vendor, "stolen-revocation-key revocation");
    assert!(rehearsal["reissue"].as_array().unwrap().is_empty(), "{rehearsal:#}");
    types(&vendor, &rehearsal);
    let bundle = Document::at(vendor.folder().join("recovery.bundle"));
    for site in [&mut robbed, &mut spared] {
        site.imports(&bundle).done();
        site.imports(&forged).refused(Code::SignatureKeyRevoked);
        site.killed().started();
        site.runtime(Courses).registered().check("export").allowed();
    }
    courses.check("export").allowed();
    // The next true generation counts from where the honest ones were.
    let name = vendor.folder().join("revocation.key");
    fs::rename(vendor.folder().join("revocation-new.key"), &name)
        .unwrap_or_else(|_| panic!("the drill made {}", name.display()));
    let root = vendor.folder().join("root.2.json");
    vendor.says(&format!(
        "revoke --first --license {} --key revocation.key --root {} --out true.json",
        honest.payload()["license_id"].as_str().unwrap(),
        root.display(),
    ));
    robbed.imports(&Document::at(vendor.folder().join("true.json"))).done();
    courses.check("export").denied(Code::LicenseRevoked);
}
