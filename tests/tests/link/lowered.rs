//! Lowered: the time of a site that is far ahead is set right by its Kernel's.

use std::time::Duration;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{TENANT, Vendor, day, eventually, sleep, start_of},
};

const TEN_YEARS: Duration = Duration::from_secs(3_652 * 24 * 60 * 60);

#[test]
fn a_mark_ten_years_ahead_is_lowered_by_the_kernel_and_what_had_ended_is_served_again() {
    if !sleep::is_possible("a_mark_ten_years_ahead") {
        return;
    }
    let vendor = Vendor::new();
    let mut kernel = Kernel::start(&vendor);
    let license = vendor.license(|l| {
        l.managed()
            .issued(&start_of(-10))
            .begins(&start_of(-10))
            .last_day(&day(300))
            .feature("exams")
    });
    kernel.has_tenant(TENANT).holds(&license);
    let mut site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT]);
    site.is_ready();
    let courses = site.runtime_of(TENANT, Courses).registered();
    courses.check("exams").allowed();
    site.drains();
    site.stopped();
    kernel.killed();
    let asleep = sleep::after(&site.command(["run"]), TEN_YEARS);
    site.started_by(asleep);
    courses.check("exams").denied(Code::LicenseExpired);
    assert!(site.suffers("clock_rollback"));

    kernel.started();
    eventually("it is served again", || courses.check("exams").answer().ok()["allowed"] == true);
    eventually("and the clock is told no more", || !site.suffers("clock_rollback"));
    assert!(!site.audit().of_type("agent.clock.lowered").is_empty());
    site.killed().started();
    courses.check("exams").allowed();
}
