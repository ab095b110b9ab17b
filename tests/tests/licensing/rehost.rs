//! Rehost: a license moves to another machine, is counted, and leaves the old one.

use serde_json::Value;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Site, Vendor};

/// A vendor, and a site activated with a license that may move once a year.
fn activated() -> (Vendor, Site, Document) {
    let vendor = Vendor::new();
    let site = Site::new(&vendor).trusting();
    let template = vendor.template(|l| l.feature("export").moving(1));
    let words = format!("--template {} --new-id --bind device", template.path().display());
    let license = vendor.answers(&site.requests(&[]), &words).done();
    site.imports(&license).done();
    (vendor, site, license)
}

fn from(license: &Document) -> String {
    format!("--from {} --bind device", license.path().display())
}

fn kinds(vendor: &Vendor) -> Vec<String> {
    let ledger = std::fs::read_to_string(vendor.ledger()).unwrap();
    let kind = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap();
        entry["kind"].as_str().unwrap().to_owned()
    };
    ledger.lines().map(kind).collect()
}

#[test]
fn a_new_host_is_answered_with_the_next_serial_and_counted_until_the_budget_is_used_up() {
    let (vendor, old, license) = activated();
    assert_eq!(license.payload()["serial"], 1);
    let new = Site::new(&vendor).trusting();
    let moved = vendor.answers(&new.requests(&[]), &from(&license)).done();
    assert_eq!(moved.payload()["serial"], 2);
    assert_eq!(moved.payload()["license_id"], license.payload()["license_id"]);
    new.imports(&moved).done();
    new.runtime(Courses).registered().check("export").allowed();
    new.imports(&license).refused(Code::BundleSuperseded);
    old.imports(&moved).refused(Code::LicenseBinding);
    assert_eq!(kinds(&vendor), ["begun", "issued", "rehosted"]);

    // The same host again is no move: it is answered with what it has.
    let again = vendor.answers(&new.requests(&[]), &from(&license)).done();
    assert_eq!(again.payload(), moved.payload());
    assert_eq!(kinds(&vendor).iter().filter(|kind| *kind == "rehosted").count(), 1);

    let third = Site::new(&vendor).trusting();
    let request = third.requests(&[]);
    vendor.answers(&request, &from(&license)).ran.refused(Code::LedgerBudget);
    assert_eq!(kinds(&vendor).iter().filter(|kind| *kind == "rehosted").count(), 1);
    let words = format!("{} --over-budget flood", from(&license));
    third.imports(&vendor.answers(&request, &words).done()).done();
    third.runtime(Courses).registered().check("export").allowed();
    vendor.says("ledger verify ledger.jsonl");
}

#[test]
fn a_license_given_up_stops_there_at_once_and_its_next_serial_holds_elsewhere() {
    let (vendor, mut old, license) = activated();
    let courses = old.runtime(Courses).registered();
    courses.check("export").allowed();
    let id = license.payload()["license_id"].as_str().unwrap().to_owned();
    let release = old.requests(&["--yes", "--release", &id]);
    courses.check("export").denied(Code::LicenseReleased);
    old.audit().only("agent.license.released");
    assert_eq!(old.licenses()[0]["phase"], "not_admitted");
    old.killed().started();
    courses.check("export").denied(Code::LicenseReleased);
    // Neither copy of what is kept brings it back.
    old.stopped();
    std::fs::remove_file(old.state().join("machine.json")).unwrap();
    old.started();
    courses.check("export").denied(Code::LicenseReleased);
    old.runtime(Courses).registers().answer().refused(Code::LicenseReleased);

    // The vendor enters what was given up; the old host asks for nothing by it.
    vendor.says(&format!(
        "answer {} --root root.json --ledger ledger.jsonl",
        release.to_str().unwrap()
    ));
    let new = Site::new(&vendor).trusting();
    let moved = vendor.answers(&new.requests(&[]), &from(&license)).done();
    assert_eq!(kinds(&vendor), ["begun", "issued", "released", "rehosted"]);
    new.imports(&moved).done();
    new.runtime(Courses).registered().check("export").allowed();

    // The file from before is no way around it.
    let refused = old.imports(&license);
    assert_eq!(refused.exit, 4, "{}", refused.stdout);
    courses.check("export").denied(Code::LicenseReleased);
    // A later serial for this very machine is a new word.
    let words = format!("{} --over-budget back", from(&license));
    let back = vendor.answers(&old.requests(&[]), &words).done();
    old.imports(&back).done();
    courses.check("export").allowed();
    old.killed().started();
    courses.check("export").allowed();
}

#[test]
fn giving_up_one_product_leaves_the_other() {
    let (vendor, site, license) = activated();
    let other = vendor.license(|l| l.product("library").feature("loans"));
    site.imports(&other).done();
    let courses = site.runtime(Courses).registered();
    site.requests(&["--yes", "--release", license.payload()["license_id"].as_str().unwrap()]);
    courses.check("export").denied(Code::LicenseReleased);
    courses.check("loans").allowed();
    let unknown = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3f01";
    site.verb(["request", "--yes", "--release", unknown]).refused(Code::LicenseMissing);
}

/// Which license was given up is kept twice, and so is what the machine is known by.
#[test]
fn a_lost_database_forgets_no_release_and_no_salt() {
    let (vendor, mut site, license) = activated();
    let shown = |site: &Site| Document::at(site.requests(&[])).payload();
    let before = shown(&site);
    site.requests(&["--yes", "--release", license.payload()["license_id"].as_str().unwrap()]);
    site.stopped();
    for file in ["agent.db", "agent.db-wal", "agent.db-shm"] {
        let _ = std::fs::remove_file(site.state().join(file));
    }
    site.started();
    assert_eq!(site.licenses()[0]["phase"], "not_admitted");
    site.runtime(Courses).registers().answer().refused(Code::LicenseReleased);
    let after = shown(&site);
    assert_eq!((&after["salt"], &after["fingerprint"]), (&before["salt"], &before["fingerprint"]));
    drop(vendor);
}
