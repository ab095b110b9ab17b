//! What is confirmed, in whatever order and by whatever way the word arrives.

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, EventDraft, Records, Runtime, Site, TENANT, Vendor};

use crate::stage::Stage;

/// Tells so many events; their ids.
fn tells(runtime: &Runtime, count: usize) -> Vec<String> {
    let events: Vec<EventDraft> = (0..count).map(|_| runtime.event("login")).collect();
    runtime.tells_all(&events).answer().ok();
    events.iter().map(EventDraft::id).collect()
}

fn figure(site: &Site, name: &str) -> u64 {
    site.verb(["queue", "stats"]).done()[name].as_u64().unwrap()
}

#[test]
fn exports_taken_twice_are_acknowledged_in_any_order_and_nothing_is_lost() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let first = tells(&courses, 20);
    let (once, again) = (site.export(), site.export());
    let records = |bytes: &[u8]| -> Vec<Vec<u8>> {
        bytes.split(|byte| *byte == b'\n').skip(1).map(<[u8]>::to_vec).collect()
    };
    assert_eq!(records(&once.bytes()), records(&again.bytes()), "records have one spelling");
    let more = tells(&courses, 20);
    let longer = site.export();
    let last = Records::of_export(&longer.bytes()).last_seq();

    // The later one comes back first.
    site.imports(&vendor.receipt(&longer)).done();
    assert_eq!(figure(&site, "acknowledged_seq"), last);
    for earlier in [&once, &again] {
        site.imports(&vendor.receipt(earlier)).refused(Code::BundleSuperseded);
        assert_eq!(figure(&site, "acknowledged_seq"), last);
    }
    site.killed().started();
    assert_eq!(figure(&site, "acknowledged_seq"), last);
    let next = tells(&courses, 1);
    let rest = Records::of_export(&site.export().bytes());
    assert_eq!(rest.last_seq() - rest.len() as u64, last, "the next begins after it");
    let told: Vec<String> = [Records::of_export(&longer.bytes()), rest]
        .iter()
        .flat_map(|records| records.of_type("login"))
        .map(|event| event["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, [first, more, next].concat());
}

#[test]
fn a_receipt_of_another_agent_confirms_nothing_at_a_managed_site() {
    let stage = Stage::set();
    let other = {
        let license = stage.vendor.license(|l| l.feature("export"));
        Site::new(&stage.vendor).trusting().holding(&license)
    };
    let foreign = stage.vendor.receipt(&other.export());
    stage.site.drains();
    let before = figure(&stage.site, "acknowledged_seq");
    stage.site.imports(&foreign).refused(Code::ReceiptForeign);
    assert!(figure(&stage.site, "acknowledged_seq") >= before);
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

/// While its Kernel is away a site's audit may be carried by hand. The Kernel gets it all the same.
#[test]
fn what_was_confirmed_by_a_file_still_reaches_a_kernel_that_comes_back() {
    let mut stage = Stage::set();
    stage.site.drains();
    stage.kernel.killed();
    let carried = tells(&stage.courses, 50);
    let whole = stage.site.admin("POST", "/admin/export?from=1").answer();
    let whole = Document::written(stage.site.path("whole.export"), whole.bytes());
    stage.site.imports(&stage.vendor.receipt(&whole)).done();
    let after = tells(&stage.courses, 50);
    assert!(stage.site.waiting() < 100, "the first fifty are confirmed");

    stage.kernel.started();
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
    let taken = stage.kernel.audit_of_type(TENANT, "login");
    assert_eq!(taken.len(), 100);
    taken.has_each_once(carried.iter().chain(&after));
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}
