//! Clock: a machine sleeps, and to its agent the wall seems set back by as long.
//!
//! In a time namespace the machine's own time is ahead and the wall is the real one. What needs a
//! wall that the test sets is simulated where the clock is injected (`crates/policy`).

use std::time::Duration;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Document, Runtime, Site, Vendor, day, sleep, start_of};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A license that ends in so many days and then stops.
fn ending(vendor: &Vendor, days: i64) -> Document {
    vendor.license(|l| {
        l.issued(&start_of(-10)).begins(&start_of(-10)).last_day(&day(days)).feature("export")
    })
}

fn site(vendor: &Vendor, license: &Document) -> (Site, Runtime) {
    let site = Site::new(vendor).trusting().holding(license);
    let courses = site.runtime(Courses).registered();
    (site, courses)
}

fn sleeps(site: &mut Site, time: Duration) {
    let asleep = sleep::after(&site.command(["run"]), time);
    site.stopped();
    site.started_by(asleep);
}

#[test]
fn the_wall_set_back_by_a_second_an_hour_a_day_or_a_month_denies_nothing() {
    if !sleep::is_possible("the_wall_set_back") {
        return;
    }
    let vendor = Vendor::new();
    let license = ending(&vendor, 300);
    for (back, is_told) in [
        (HOUR / 3600, false),
        (HOUR, false),
        (23 * HOUR, false),
        (25 * HOUR, true),
        (720 * HOUR, true),
    ] {
        let (mut site, courses) = site(&vendor, &license);
        sleeps(&mut site, back);
        courses.check("export").allowed();
        site.runtime(Courses).registered().check("export").allowed();
        assert_eq!(site.suffers("clock_rollback"), is_told, "{back:?}");
        let clock = &site.status()["clock"];
        assert_eq!(clock["rolled_back"], is_told, "{clock}");
        assert_eq!(clock["now"], clock["mark"], "the later of the two: {clock}");
        assert_eq!(site.status()["ready"], true);
    }
}

#[test]
fn a_machine_that_slept_past_the_end_is_past_it_whatever_its_wall_says() {
    if !sleep::is_possible("a_machine_that_slept_past_the_end") {
        return;
    }
    let vendor = Vendor::new();
    let license = ending(&vendor, 30);
    let (mut site, courses) = site(&vendor, &license);
    sleeps(&mut site, 24 * 40 * HOUR);
    courses.check("export").denied(Code::LicenseExpired);
    assert!(site.suffers("license_expired"));
    // Neither a restart nor an awake machine's shorter uptime brings the day back.
    site.killed().started();
    courses.check("export").denied(Code::LicenseExpired);
    // The renewal does, in this state as in any.
    site.imports(&vendor.license(|l| l.renewing(&license).feature("export"))).done();
    courses.check("export").allowed();
    assert!(site.suffers("clock_rollback"), "and the clock is still told");
}

/// Whoever sleeps and wakes for a day's quota gets one day's quota.
#[test]
fn forward_day_by_day_turns_one_window_a_day_and_back_turns_none() {
    if !sleep::is_possible("forward_day_by_day") {
        return;
    }
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(1).per("P1D"));
    let (mut site, courses) = site(&vendor, &license);
    courses.check("export").consume(1).allowed();
    courses.check("export").consume(1).denied(Code::QuotaExhausted);
    for slept in 1..=3 {
        sleeps(&mut site, slept * 24 * HOUR);
        courses.check("export").consume(1).allowed();
        courses.check("export").consume(1).denied(Code::QuotaExhausted);
    }
    // Back at the real boot time: the mark stays where it was, and so does the window.
    site.stopped().started();
    courses.check("export").consume(1).denied(Code::QuotaExhausted);
}

#[test]
fn what_status_says_of_the_clock_is_a_sentence_each() {
    if !sleep::is_possible("what_status_says_of_the_clock") {
        return;
    }
    let vendor = Vendor::new();
    let license = ending(&vendor, 300);
    let (mut site, _courses) = site(&vendor, &license);
    sleeps(&mut site, 49 * HOUR);
    let said = farhold_tests::site::Ran::command(&mut site.command(["status"]));
    assert_eq!(said.exit, 0, "{}", said.stderr);
    for sentence in [
        "2 days behind the agent's own time",
        "The agent's own time is",
        "The newest signed date is",
        "Licenses are judged by",
    ] {
        assert!(said.stdout.contains(sentence), "{sentence} is not in\n{}", said.stdout);
    }
}
