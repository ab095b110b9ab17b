//! A product can verify the license itself, and sees its own organization's alone.

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Site, Vendor};

#[test]
fn the_lines_in_force_verify_under_the_vendors_root() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    for door in site.doors() {
        let answered = courses.call("GET", "/kernel/bundle").at(&door).answer();
        assert_eq!(answered.answer.status, 200);
        let tag = answered.header("etag").unwrap().to_owned();
        let bundle = Document::written(vendor.next("bundle"), answered.bytes());
        let verified = vendor.verifies(&bundle);
        assert_eq!(verified["licenses"][0]["license_id"], license.payload()["license_id"]);

        let same = courses.call("GET", "/kernel/bundle").at(&door).with("if-none-match", &tag);
        let same = same.answer();
        assert_eq!((same.answer.status, same.bytes().len()), (304, 0));
    }
    let renewal = vendor.license(|l| l.renewing(&license).feature("export"));
    site.imports(&renewal).done();
    let answered = courses.call("GET", "/kernel/bundle").answer();
    let bundle = Document::written(vendor.next("bundle"), answered.bytes());
    assert_eq!(vendor.verifies(&bundle)["licenses"].as_array().unwrap().len(), 2);
    site.imports(&bundle).refused(Code::BundleSuperseded);
}

#[test]
fn a_caller_may_ask_which_versions_are_spoken_before_it_registers() {
    let vendor = Vendor::new();
    let site = Site::new(&vendor);
    let answer = site.runtime(Courses).call("GET", "/kernel/contract").answer().ok();
    assert_eq!(answer["versions"], serde_json::json!(["v0.1", "v0.2"]));
}
