//! Issuance: the Kernel has the vendor's ledger, and tells of a license that is not in it.

use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{Document, TENANT, Vendor, eventually},
};

const ALERT: &str = "license.not_in_ledger";

/// What the vendor's ledger holds, taken to the Kernel.
fn uploads(vendor: &Vendor, kernel: &Kernel) {
    let export = vendor.next("jsonl");
    let (ledger, path) = (vendor.ledger(), export.to_str().unwrap());
    vendor.says(&format!("ledger export {} --out {path}", ledger.display()));
    kernel.verb(["ledger", "upload", path]).done();
}

/// Signs a license without the ledger, as in an emergency: the license, and its slip.
fn break_glass(vendor: &Vendor) -> (Document, Document) {
    let template = vendor.template(|l| l.managed().feature("exams"));
    let out = vendor.next("license");
    let said = vendor.says(&format!(
        "issue {} --new-id --serial 1 --break-glass --reason flood --key license.key --root \
         root.json --out {}",
        template.path().display(),
        out.display()
    ));
    let files = said["slip"].as_str().map_or_else(|| panic!("{said:#}"), str::to_owned);
    (Document::at(out), Document::at(vendor.folder().join(files)))
}

#[test]
fn a_license_that_is_not_in_the_ledger_is_told_once_and_settled_by_its_entry() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    let template = vendor.template(|l| l.managed().product("library").feature("loans"));
    let booked = vendor.enters(&template, "--new-id");
    let (unbooked, slip) = break_glass(&vendor);
    kernel.has_tenant(TENANT).holds(&booked).holds(&unbooked);
    let site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT]);
    site.is_ready();
    let reports = || kernel.agent(&site.agent_id()).to_string();
    let id = |license: &Document| license.payload()["license_id"].as_str().unwrap().to_owned();
    eventually("both are reported", || {
        let told = reports();
        told.contains(&id(&booked)) && told.contains(&id(&unbooked))
    });
    assert_eq!(kernel.alert_codes(), [""; 0], "without a ledger nothing is missing in it");

    uploads(&vendor, &kernel);
    eventually("it is told", || !kernel.alerts().is_empty());
    let alerts = kernel.alerts();
    assert_eq!(kernel.alert_codes(), [ALERT], "one of the two, once: {alerts:#?}");
    assert!(alerts[0].to_string().contains(&id(&unbooked)), "{alerts:#?}");
    assert!(alerts[0]["acknowledged_at"].is_null(), "{alerts:#?}");
    vendor.says(&format!(
        "ledger enter {} {} --root root.json",
        vendor.ledger().display(),
        slip.path().display()
    ));
    uploads(&vendor, &kernel);
    eventually("it is settled", || !kernel.alerts()[0]["acknowledged_at"].is_null());
    // Further reports of it are no news.
    let heard = || kernel.agent(&site.agent_id())["heard_at"].clone();
    let before = heard();
    eventually("it is heard again", || heard() != before);
    assert_eq!(kernel.alert_codes(), [ALERT]);
}
