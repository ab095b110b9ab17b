//! A disk that fills up (ENOSPC), the site's and the Kernel's: what was acknowledged is there, and
//! when there is room again everything goes on by itself.

use serde_json::json;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{EventDraft, Runtime, Site, TENANT, Vendor, eventually};

use crate::{filesystem::Filesystem, stage::Stage};

/// What the agent says, once, when its database takes nothing.
const AGENT_SAYS: &str = "the database refuses changes";
/// What either may say about a copy, an export or a batch for which there was no room.
const COPY_SAYS: &str = "could not be written";

fn large(runtime: &Runtime) -> EventDraft {
    runtime.event("course.completed").payload(json!({"text": "x".repeat(30_000)}))
}

/// Tells large events until one finds no room; the ids of those acknowledged.
fn fill(runtime: &Runtime) -> Vec<String> {
    let mut kept = Vec::new();
    while kept.len() < 10_000 {
        let event = large(runtime);
        let answered = runtime.tells(&event).answer();
        if answered.answer.status != 200 {
            answered.refused(Code::StoreUnavailable);
            return kept;
        }
        kept.push(event.id());
    }
    panic!("never full");
}

/// What a full disk must not touch.
fn serves_on(site: &Site, courses: &Runtime) {
    courses.check("export").allowed();
    for (path, status) in [("/livez", 200), ("/readyz", 200), ("/metrics", 200)] {
        assert_eq!(site.admin("GET", path).answer().answer.status, status, "{path}");
    }
    assert!(site.suffers("disk_low"));
}

#[test]
fn a_sites_full_disk_loses_nothing_acknowledged_and_goes_on_when_there_is_room() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(100));
    let renewed =
        vendor.license(|l| l.renewing(&license).feature("export").quota(100).feature("more"));
    let mut site = Site::prepared(&vendor, |plan| plan);
    let name = "a_sites_full_disk";
    let Some(disk) = Filesystem::small(name, &site.state(), 16) else { return };
    site.expecting(AGENT_SAYS).expecting(COPY_SAYS).started();
    let site = site.trusting();
    let mut site = site.holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(3).allowed();
    courses.check("nothing").denied(Code::FeatureNotGranted);
    let ballast = disk.filled_but_for(3 * 1024);
    let mut acknowledged = fill(&courses);
    assert!(!acknowledged.is_empty());
    serves_on(&site, &courses);
    // That it was refused before is known: it is counted, and needs no room.
    courses.check("nothing").denied(Code::FeatureNotGranted);
    // The reserve is for what rights need: a renewal, and a quota. Events wait.
    site.imports(&renewed).done();
    courses.check("more").allowed();
    courses.check("export").consume(1).allowed().used(4);
    courses.tells(&courses.event("waits")).answer().refused(Code::AuditFull);
    ballast.removed();
    let event = courses.event("login");
    eventually("there is room again", || courses.tells(&event).answer().answer.status == 200);
    acknowledged.push(event.id());
    site.killed().started();
    courses.check("more").allowed();
    let export = site.export();
    vendor.verifies_export(&export, &site.device_key());
    let kept = farhold_tests::site::Records::of_export(&export.bytes());
    let ids: Vec<String> = kept
        .events()
        .iter()
        .filter(|event| event["type"] == "course.completed" || event["type"] == "login")
        .map(|event| event["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, acknowledged);
    site.stopped();
    drop(disk);
}

#[test]
fn a_disk_without_any_room_still_starts_and_answers() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(100));
    let renewed =
        vendor.license(|l| l.renewing(&license).feature("export").quota(100).feature("more"));
    let mut site = Site::prepared(&vendor, |plan| plan);
    let name = "a_disk_without_any_room";
    let Some(disk) = Filesystem::small(name, &site.state(), 16) else { return };
    site.expecting(AGENT_SAYS).expecting(COPY_SAYS).started();
    let mut site = site.trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    courses.check("export").consume(3).allowed();
    let reserve = site.state().join("reserve");
    eventually("the reserve is made", || reserve.exists());
    // After a kill the index of the database's log is there; after an orderly end it is made anew.
    site.stopped();
    let ballast = disk.filled_but_for(0);
    site.started();
    assert!(!reserve.exists(), "given up for the start");
    courses.check("export").allowed().used(3);
    courses.tells(&large(&courses)).answer().refused(Code::AuditFull);
    // What is left of it is for rights.
    courses.check("export").consume(1).allowed().used(4);
    site.imports(&renewed).done();
    courses.check("more").allowed();
    ballast.removed();
    eventually("there is room again", || {
        courses.tells(&courses.event("login")).answer().answer.status == 200
    });
    courses.check("export").consume(1).allowed().used(5);
    site.stopped();
    drop(disk);
}

#[test]
fn a_kernels_full_disk_confirms_nothing_that_it_has_not_and_goes_on_when_there_is_room() {
    let mut stage = Stage::set();
    stage.site.drains();
    stage.kernel.stopped();
    let name = "a_kernels_full_disk";
    let data = stage.kernel.data();
    let Some(disk) = Filesystem::small_with_what_is(name, &data, 16) else { return };
    // Whatever it could not keep it tells.
    stage.kernel.expecting("").started();
    stage.site.comes_online(&stage.courses, "exams");
    let ballast = disk.filled_but_for(1024);
    let events: Vec<EventDraft> = (0..200).map(|_| large(&stage.courses)).collect();
    for some in events.chunks(20) {
        stage.courses.tells_all(some).answer().ok();
    }
    eventually("the Kernel has no room", || stage.kernel.log().contains("\"ERROR\""));
    assert!(stage.site.waiting() > 0, "what the Kernel could not keep is not confirmed");
    stage.courses.check("export").consume(1).allowed();
    stage.kernel.killed();
    ballast.removed();
    stage.kernel.started();
    stage.kernel_has_all_of_it_once();
    let ids: Vec<String> = events.iter().map(EventDraft::id).collect();
    let taken = stage.kernel.audit_of_type(TENANT, "course.completed");
    assert_eq!(taken.len(), ids.len());
    taken.has_each_once(&ids);
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
    stage.kernel.stopped();
    drop(disk);
}
