//! How much: windows, overage, whole lives, and two products side by side.

use serde_json::json;

use farhold_contract::{
    Code,
    model::RuntimeType::{Courses, Labs},
};
use farhold_tests::site::{Site, Vendor, day, start_of};

#[test]
fn a_quota_in_a_window_says_when_it_begins_anew_and_is_the_sites() {
    let vendor = Vendor::new();
    let license = vendor
        .license(|l| l.feature("daily").quota(5).per("P1D").feature("yearly").quota(5).per("P1Y"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let (courses, labs) = (site.runtime(Courses).registered(), site.runtime(Labs).registered());
    courses.check("yearly").consume(3).allowed().remaining(2);
    labs.check("yearly").consume(2).allowed().remaining(0);
    courses.check("yearly").consume(1).denied(Code::QuotaExhausted);
    let yearly = courses.check("yearly").denied(Code::QuotaExhausted).answer;
    assert!(yearly["usage"]["resets_at"].as_str().unwrap().ends_with("-01-01T00:00:00Z"));
    let daily = courses.check("daily").allowed().remaining(5).answer;
    assert!(daily["usage"]["resets_at"].as_str().unwrap().ends_with("T00:00:00Z"));
    assert_eq!(daily["limits"], json!({"quota": 5, "time_window": "P1D"}));
}

#[test]
fn overage_is_given_above_the_quota_and_counted_as_left() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(2).overage(1));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed().remaining(3);
    courses.check("export").consume(3).allowed().used(3).remaining(0);
    courses.check("export").consume(1).denied(Code::QuotaExhausted);
}

#[test]
fn a_whole_life_is_the_contracts_through_every_renewal() {
    let vendor = Vendor::new();
    let first = vendor.license(|l| l.feature("export").quota(5));
    let mut site = Site::new(&vendor).trusting().holding(&first);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(4).allowed().remaining(1);

    let renewal = vendor.license(|l| l.renewing(&first).feature("export").quota(6));
    site.imports(&renewal).done();
    courses.check("export").allowed().used(4).remaining(2);
    site.killed().started();
    courses.check("export").consume(3).denied(Code::QuotaExhausted);

    let new_contract = vendor.license(|l| l.serial(3).feature("export").quota(5));
    site.imports(&new_contract).done();
    courses.check("export").allowed().used(0).remaining(5);
}

#[test]
fn a_windows_use_is_the_products_through_a_new_contract() {
    let vendor = Vendor::new();
    let first = vendor.license(|l| l.feature("export").quota(5).per("P1Y"));
    let site = Site::new(&vendor).trusting().holding(&first);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(4).allowed();
    let second = vendor.license(|l| l.serial(2).feature("export").quota(5).per("P1Y"));
    site.imports(&second).done();
    courses.check("export").allowed().used(4).remaining(1);
}

#[test]
fn many_at_once_never_get_more_than_there_is() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(30));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    let granted: usize = std::thread::scope(|scope| {
        let ask = || {
            (0..10)
                .filter(|_| courses.check("export").consume(1).answer().ok()["allowed"] == true)
                .count()
        };
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).sum()
    });
    assert_eq!(granted, 30);
    courses.check("export").denied(Code::QuotaExhausted);
}

#[test]
fn two_products_stand_side_by_side_unless_they_grant_the_same() {
    let vendor = Vendor::new();
    let campus = vendor.license(|l| l.product("campus").feature("export"));
    let library = vendor.license(|l| l.product("library").feature("loans").quota(1));
    let site = Site::new(&vendor).trusting();
    site.imports(&vendor.bundle(&[&campus, &library])).done();
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    courses.check("loans").consume(1).allowed().remaining(0);

    let clash = vendor.license(|l| l.product("archive").feature("loans"));
    site.imports(&clash).refused(Code::LicenseFeatureConflict);
    let apart = vendor.license(|l| l.product("archive").feature("scans").only_for(Labs));
    site.imports(&apart).done();
    courses.check("scans").denied(Code::FeatureNotGranted);
    site.runtime(Labs).registered().check("scans").allowed();
}

#[test]
fn a_version_an_own_end_and_a_beginning_limit_what_is_granted() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| {
        l.versions(">=4, <5")
            .begins(&start_of(-30))
            .issued(&start_of(-30))
            .last_day(&day(300))
            .ladder("P5D", "P1D", "P1D")
            .feature("export")
            .feature("trial")
            .ending_itself(&start_of(-3))
    });
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").allowed();
    courses.check("trial").denied(Code::EntitlementExpired);
    let newer = courses.of_version("5.1.0").registered();
    newer.check("export").denied(Code::LicenseVersion);

    let vendor = Vendor::new();
    let later = vendor.license(|l| l.begins(&start_of(10)).feature("export"));
    let site = Site::new(&vendor).trusting().holding(&later);
    site.runtime(Courses).registers().answer().refused(Code::LicenseNotBegun);
}
