//! Root end: past it nothing new comes in without a newer root, and what is in force stays.

use std::time::Duration;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Site, Vendor, day, sleep};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn past_its_roots_end_a_site_serves_on_and_takes_only_what_brings_a_newer_root() {
    if !sleep::is_possible("past_its_roots_end") {
        return;
    }
    let vendor = Vendor::ending(&day(30));
    let license = vendor.license(|l| l.feature("export"));
    let late = vendor.license(|l| l.renewing(&license).feature("exams"));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    site.stopped();
    let asleep = sleep::after(&site.command(["run"]), 60 * DAY);
    site.started_by(asleep);
    courses.check("export").allowed();
    site.runtime(Courses).registered();
    site.imports(&late).refused(Code::TrustRootExpired);
    let revocations = vendor.revokes(&[&license]);
    site.imports(&revocations).refused(Code::TrustRootExpired);
    assert!(site.suffers("trust_root_expiring"));
    courses.check("exams").denied(Code::FeatureNotGranted);

    // A newer root that has ended too is no newer word.
    let ended = vendor.changes_root(&format!("renew --expires {}", day(40)));
    site.imports(&ended.and(&[&late])).refused(Code::TrustRootExpired);
    assert_eq!(site.status()["trust"]["version"], 1);
    // In the middle of a chain it still chains.
    let living = vendor.changes_root("renew");
    site.imports(&ended.and(&[&living, &late])).done();
    assert_eq!(site.status()["trust"]["version"], 3);
    assert!(!site.suffers("trust_root_expiring"));
    courses.check("exams").allowed();
}
