//! Clock reset: a mark too far ahead is set right by the vendor's word, once.

use std::time::Duration;

use farhold_contract::{Code, Timestamp, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Runtime, Site, Vendor, day, sleep, start_of};

const TEN_YEARS: Duration = Duration::from_secs(3_652 * 24 * 60 * 60);

/// A site whose own time is ten years ahead, and whose license has ended by it.
fn ten_years_ahead(vendor: &Vendor) -> (Site, Runtime, Document) {
    let license = vendor.license(|l| {
        l.issued(&start_of(-10)).begins(&start_of(-10)).last_day(&day(300)).feature("export")
    });
    let mut site = Site::new(vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    site.stopped();
    let asleep = sleep::after(&site.command(["run"]), TEN_YEARS);
    site.started_by(asleep);
    courses.check("export").denied(Code::LicenseExpired);
    (site, courses, license)
}

fn now() -> String {
    start_of(0)
}

#[test]
fn a_reset_answers_one_request_once() {
    if !sleep::is_possible("a_reset_answers_one_request_once") {
        return;
    }
    let vendor = Vendor::new();
    let (mut site, courses, _) = ten_years_ahead(&vendor);
    let earlier = site.requests(&[]);
    let request = site.requests(&[]);
    let outdated = vendor.resets_clock(&earlier, &now());
    let reset = vendor.resets_clock(&request, &now());
    site.imports(&outdated).refused(Code::ClockResetForeign);
    courses.check("export").denied(Code::LicenseExpired);
    let told = site.previews(&reset);
    assert_eq!(told["changes"]["clock_reset"], now(), "{told:#}");
    assert_eq!(told["changes"]["begins"][0]["feature"], "export", "{told:#}");
    courses.check("export").denied(Code::LicenseExpired);
    site.imports(&reset).done();
    courses.check("export").allowed();
    site.audit().only("agent.clock.reset");
    let mark: Timestamp = site.status()["clock"]["mark"].as_str().unwrap().parse().unwrap();
    let wall: Timestamp = site.status()["clock"]["wall"].as_str().unwrap().parse().unwrap();
    assert!(mark <= wall && !site.suffers("clock_rollback"));
    // The nonce went with it.
    site.imports(&reset).refused(Code::ClockResetForeign);
    site.killed().started();
    courses.check("export").allowed();
    site.imports(&reset).refused(Code::ClockResetForeign);
}

#[test]
fn a_reset_for_one_machine_is_none_for_another() {
    let vendor = Vendor::new();
    let (site, other) = (Site::new(&vendor).trusting(), Site::new(&vendor).trusting());
    let reset = vendor.resets_clock(&site.requests(&[]), &now());
    other.requests(&[]);
    other.imports(&reset).refused(Code::ClockResetForeign);
    site.imports(&reset).done();
}

/// A document with a wrong date drags every clock along; a reset lets its date count no more.
#[test]
fn a_future_dated_document_moves_no_site_further_than_a_reset_brings_it_back() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| {
        l.issued(&start_of(-10)).begins(&start_of(-10)).last_day(&day(300)).feature("export")
    });
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let mistaken = vendor.license(|l| {
        l.product("library").issued(&start_of(3_652)).begins(&start_of(3_652)).feature("loans")
    });
    site.imports(&mistaken).done();
    courses.check("export").denied(Code::LicenseExpired);
    let clock = site.status()["clock"].clone();
    assert_eq!((&clock["floor"], &clock["now"]), (&start_of(3_652).into(), &clock["floor"]));
    assert!(clock["floor_by"].as_str().unwrap().contains("license"), "{clock}");

    let reset = vendor.resets_clock(&site.requests(&[]), &now());
    site.imports(&reset).done();
    courses.check("export").allowed();
    courses.check("loans").denied(Code::LicenseNotBegun);
    site.killed().started();
    courses.check("export").allowed();
    assert_ne!(site.status()["clock"]["floor"], start_of(3_652));
}

/// The date goes away with the document that replaces it, and with one that falls.
#[test]
fn a_future_date_goes_with_the_document_that_brought_it() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| {
        l.issued(&start_of(-10)).begins(&start_of(-10)).last_day(&day(300)).feature("export")
    });
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let mistaken = vendor.license(|l| {
        l.product("library").issued(&start_of(3_652)).begins(&start_of(-1)).feature("loans")
    });
    site.imports(&mistaken).done();
    courses.check("export").denied(Code::LicenseExpired);
    let corrected = vendor.license(|l| l.product("library").renewing(&mistaken).feature("loans"));
    site.imports(&corrected).done();
    courses.check("export").allowed();
    courses.check("loans").allowed();
}
