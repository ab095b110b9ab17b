//! No room: a queue at its cap, a disk that takes no more. Events wait; checks are answered.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{EventDraft, Runtime, Site, Vendor};

/// An event that fills a lot of room.
fn large(runtime: &Runtime, kind: &str) -> EventDraft {
    runtime.event(kind).payload(json!({"text": "x".repeat(60_000)}))
}

/// Sends large events until one is refused: how many were kept.
fn fill(runtime: &Runtime, kind: &str, code: Code) -> usize {
    for kept in 0..10_000 {
        let answered = runtime.tells(&large(runtime, kind)).answer();
        if answered.answer.status != 200 {
            answered.refused(code);
            return kept;
        }
    }
    panic!("never full");
}

/// Fills the queue: no runtime can alone, so each takes its share until the cap is met.
fn fill_by_many(runtimes: &[Runtime], kind: &str) -> usize {
    let mut kept = 0;
    for runtime in runtimes {
        loop {
            let answered = runtime.tells(&large(runtime, kind)).answer();
            match answered.answer.status {
                200 => kept += 1,
                429 => break,
                _ => {
                    answered.refused(Code::AuditFull);
                    return kept;
                }
            }
        }
    }
    panic!("never full");
}

/// Enough runtimes to fill a queue, each with its quarter.
fn runtimes(site: &Site) -> Vec<Runtime> {
    (0..6).map(|_| site.runtime(Courses).registered()).collect()
}

#[test]
fn a_runaway_product_blocks_itself_and_nobody_else() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::planned(&vendor, |plan| plan.queue_cap("8MiB")).trusting().holding(&license);
    let (runaway, quiet) = (site.runtime(Courses).registered(), site.runtime(Courses).registered());
    let kept = fill(&runaway, "feature.used", Code::AuditFlood);
    assert!((10..60).contains(&kept), "{kept} events of 60 kB of a quarter of 8 MiB");
    quiet.tells(&quiet.event("feature.used")).answer().ok();
    runaway.check("export").allowed();
    // The vendor's receipt gives it a new share.
    let receipt = vendor.receipt(&site.export());
    site.imports(&receipt).done();
    runaway.tells(&large(&runaway, "feature.used")).answer().ok();
}

#[test]
fn a_full_queue_refuses_events_and_goes_on_answering_checks() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(50));
    let mut site =
        Site::planned(&vendor, |plan| plan.queue_cap("8MiB")).trusting().holding(&license);
    let many = runtimes(&site);
    let courses = site.runtime(Courses).registered();
    assert!(fill_by_many(&many, "feature.used") > 100);
    // A small one may still fit where a large one does not.
    courses.tells(&courses.event("feature.used")).answer().ok();
    fill(&courses, "policy.violation", Code::AuditFull);
    assert!(site.suffers("queue_full"));
    courses.check("export").consume(3).allowed().used(3);
    courses.check("export").allowed();
    courses.check("exams").denied(Code::FeatureNotGranted);
    site.killed().started();
    courses.check("export").allowed().used(3);
    vendor.verifies_export(&site.export(), &site.device_key());
}

#[test]
fn the_last_twentieth_is_for_what_concerns_security_and_the_cap_is_a_promise() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::planned(&vendor, |plan| plan.queue_cap("8MiB")).trusting().holding(&license);
    fill_by_many(&runtimes(&site), "feature.used");
    let courses = site.runtime(Courses).registered();
    courses.tells(&courses.event("policy.violation")).answer().ok();
    fill(&courses, "policy.violation", Code::AuditFull);
    let database = std::fs::metadata(site.state().join("agent.db")).unwrap().len();
    assert!(database <= 8 << 20, "{database} bytes under a cap of 8 MiB");
}

#[test]
fn after_pruning_the_next_export_follows_the_receipt() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let mut site =
        Site::planned(&vendor, |plan| plan.queue_cap("8MiB")).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    fill_by_many(&runtimes(&site), "feature.used");
    let first = vendor.receipt(&site.export());
    site.imports(&first).done();
    // The first tick of a start prunes what was receipted: the queue is high.
    site.stopped().started();
    let began = Instant::now();
    while site.admin("GET", "/admin/audit/verify").answer().ok()["from_seq"] == 1 {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing was pruned");
    }
    courses.tells(&large(&courses, "feature.used")).answer().ok();
    let export = site.export();
    vendor.verifies_export(&export, &site.device_key());
    let second = vendor.receipt_after(&export, Some(&first));
    site.imports(&second).done();
    site.killed().started();
    courses.tells(&courses.event("feature.used")).answer().ok();
    vendor.verifies_export(&site.export(), &site.device_key());
}

#[test]
fn a_license_may_want_no_consumption_without_a_record() {
    let vendor = Vendor::new();
    let license =
        vendor.license(|l| l.refusing_when_full().feature("export").quota(50).feature("exams"));
    let site = Site::planned(&vendor, |plan| plan.queue_cap("8MiB")).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(1).allowed();
    fill_by_many(&runtimes(&site), "policy.violation");
    courses.check("export").consume(1).denied(Code::AuditFull);
    courses.check("export").allowed().used(1);
    courses.check("exams").allowed();
}

#[test]
fn a_disk_that_takes_no_more_loses_nothing_acknowledged_and_denies_nothing() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(50));
    let mut site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    site.expecting("the database refuses changes").stopped();

    // No file grows beyond this; without the trap the signal would end the agent instead.
    let run = site.command(["run"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\""]);
    limited.arg(run.get_program()).args(run.get_args());
    limited.current_dir(site.path("")).env_clear();
    site.started_by(limited);
    courses.check("export").consume(2).allowed();
    let kept = fill(&courses, "feature.used", Code::StoreUnavailable);
    courses.check("export").allowed().used(2);
    let livez = site.admin("GET", "/livez").answer();
    assert_eq!(livez.answer.status, 200);

    site.killed().started();
    courses.check("export").allowed().used(2);
    courses.tells(&courses.event("feature.used")).answer().ok();
    assert_eq!(site.audit().of_type("feature.used").len(), kept + 1);
    vendor.verifies_export(&site.export(), &site.device_key());
}
