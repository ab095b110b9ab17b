//! What follows a license's end: a warning before, then grace, then restriction, then the stop.

use farhold_contract::{Code, mode::Mode, model::RuntimeType::Courses};
use farhold_tests::site::{Document, LicenseDraft, Runtime, Site, Vendor, day, start_of};

/// A license of serial 2 whose last day is so many days from now, with two weeks of grace and a
/// month of restriction after it.
fn ending(vendor: &Vendor, first: &Document, last_day: i64) -> Document {
    let dated = |l: LicenseDraft| {
        l.renewing(first)
            .issued(&start_of(-300))
            .begins(&start_of(-300))
            .last_day(&day(last_day))
            .ladder("P60D", "P14D", "P30D")
            .feature("export")
            .quota(5)
            .feature("exams")
    };
    vendor.license(dated)
}

/// A site whose runtime registered in good times, and whose license is now the one dated.
fn site_at(last_day: i64) -> (Vendor, Site, Runtime, Document) {
    let vendor = Vendor::new();
    let first = vendor.license(|l| {
        l.issued(&start_of(-300))
            .begins(&start_of(-300))
            .feature("export")
            .quota(5)
            .feature("exams")
    });
    let site = Site::new(&vendor).trusting().holding(&first);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(1).allowed();
    let license = ending(&vendor, &first, last_day);
    site.imports(&license).done();
    (vendor, site, courses, license)
}

fn phase(site: &Site) -> String {
    let shown = site.verb(["license", "show"]).done();
    let licenses = shown["licenses"].as_array().unwrap();
    let deciding: Vec<_> = licenses.iter().filter(|license| license["in_force"] == true).collect();
    assert_eq!(deciding.len(), 1, "{shown}");
    deciding[0]["phase"].as_str().unwrap().to_owned()
}

#[test]
fn before_the_end_it_is_only_said() {
    let (_vendor, site, courses, _) = site_at(20);
    assert_eq!(phase(&site), "expiring");
    assert!(site.suffers("license_expiring"));
    courses.check("exams").allowed().mode(Mode::Offline);
    site.runtime(Courses).registered();
}

#[test]
fn in_the_grace_everything_works_and_is_shown_honestly() {
    let (_vendor, site, courses, _) = site_at(-5);
    assert_eq!(phase(&site), "grace");
    assert!(site.suffers("license_grace"));
    courses.check("exams").allowed().mode(Mode::Grace);
    courses.check("export").consume(1).allowed().mode(Mode::Grace).used(2);
    site.runtime(Courses).registered().check("exams").allowed();
}

#[test]
fn past_the_grace_what_is_registered_keeps_what_it_had_and_nothing_new_begins() {
    let (_vendor, mut site, courses, _) = site_at(-25);
    assert_eq!(phase(&site), "restricted");
    assert!(site.suffers("license_restricted"));
    courses.check("exams").allowed().mode(Mode::Restricted);
    courses.check("export").consume(1).allowed().mode(Mode::Restricted);
    site.runtime(Courses).registers().answer().refused(Code::RuntimeRestricted);
    courses.registers().answer().ok();
    site.killed().started();
    courses.check("exams").allowed().mode(Mode::Restricted);
}

#[test]
fn past_everything_all_is_denied_and_a_renewal_brings_it_back() {
    let (vendor, mut site, courses, license) = site_at(-60);
    assert_eq!(phase(&site), "stopped");
    assert!(site.suffers("license_expired"));
    courses.check("exams").denied(Code::LicenseExpired).mode(Mode::None);
    courses.check("export").consume(1).denied(Code::LicenseExpired);
    site.runtime(Courses).registers().answer().refused(Code::LicenseExpired);
    let readyz = site.admin("GET", "/readyz").answer();
    assert_eq!(readyz.answer.status, 503);
    site.killed().started();
    courses.check("exams").denied(Code::LicenseExpired);

    let renewal =
        vendor.license(|l| l.renewing(&license).feature("export").quota(5).feature("exams"));
    site.imports(&renewal).done();
    courses.check("exams").allowed().mode(Mode::Offline);
    courses.check("export").allowed().used(1);
    assert!(!site.suffers("license_expired"));
}

#[test]
fn next_years_license_waits_for_its_beginning() {
    let vendor = Vendor::new();
    let this_year = vendor.license(|l| {
        l.issued(&start_of(-300)).begins(&start_of(-300)).last_day(&day(20)).feature("export")
    });
    let site = Site::new(&vendor).trusting().holding(&this_year);
    assert!(site.suffers("license_expiring"));
    let next_year = vendor.license(|l| {
        l.renewing(&this_year).begins(&start_of(18)).feature("export").feature("exams")
    });
    site.imports(&next_year).done();
    assert!(!site.suffers("license_expiring"), "the renewal is there and waits");
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    courses.check("exams").denied(Code::FeatureNotGranted);
}
