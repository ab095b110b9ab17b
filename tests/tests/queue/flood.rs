//! Who floods the queue blocks himself: not his neighbor, not another organization, not the
//! agent's own records.

use serde_json::{Value, json};

use farhold_contract::{
    Code,
    model::RuntimeType::{Courses, Labs},
};
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{EventDraft, Runtime, Site, TENANT, TENANT_B, Vendor},
};

use crate::stage::Stage;

const CAP_BYTES: u64 = 64 << 20;
const CAP: &str = "64MiB";

fn large(runtime: &Runtime) -> EventDraft {
    runtime.event("feature.used").payload(json!({"text": "x".repeat(60_000)}))
}

/// Sends large events until one is refused with this code; the ids of those kept.
fn flood(runtime: &Runtime, code: Code) -> Vec<String> {
    let mut kept = Vec::new();
    while kept.len() < 10_000 {
        let event = large(runtime);
        let answered = runtime.tells(&event).answer();
        if answered.answer.status != 200 {
            assert!(answered.header("retry-after").is_some(), "it is told when to come again");
            answered.refused(code);
            return kept;
        }
        kept.push(event.id());
    }
    panic!("never refused");
}

#[test]
fn a_runaway_runtime_takes_its_quarter_and_its_neighbor_is_heard() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(100));
    let site = Site::planned(&vendor, |plan| plan.queue_cap(CAP)).trusting().holding(&license);
    let (runaway, labs) = (site.runtime(Courses).registered(), site.runtime(Labs).registered());
    let kept = flood(&runaway, Code::AuditFlood);
    let bytes = site.admin("GET", "/admin/queue").answer().ok()["bytes"].as_u64().unwrap();
    assert!(bytes > CAP_BYTES / 8 && bytes < CAP_BYTES / 3, "{bytes} by {} events", kept.len());
    // It is told the same however often it comes. The queue's size is estimated, and asked now and
    // then: an event or two may still fit.
    assert!(flood(&runaway, Code::AuditFlood).len() <= 2);
    // Its checks and its consumption are no events of its own.
    runaway.check("export").consume(1).allowed();
    runaway.check("nothing").denied(Code::FeatureNotGranted);
    labs.tells(&large(&labs)).answer().ok();
    assert!(flood(&labs, Code::AuditFlood).len() > kept.len() / 2, "the neighbor has his own");
    assert!(!site.suffers("queue_full"));
    vendor.verifies_export(&site.export(), &site.device_key());
}

#[test]
fn a_receipt_gives_a_runaway_its_share_back() {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export"));
    let site = Site::planned(&vendor, |plan| plan.queue_cap(CAP)).trusting().holding(&license);
    let runaway = site.runtime(Courses).registered();
    flood(&runaway, Code::AuditFlood);
    site.imports(&vendor.receipt(&site.export())).done();
    runaway.tells(&large(&runaway)).answer().ok();
}

#[test]
fn one_organizations_flood_leaves_the_other_its_share() {
    let vendor = Vendor::new();
    let mut kernel = Kernel::start(&vendor);
    for tenant in [TENANT, TENANT_B] {
        let license = vendor.license(|l| l.managed().tenant(tenant).feature("export").quota(100));
        kernel.has_tenant(tenant).holds(&license);
    }
    let mut site = LinkedSite::prepared(&vendor).with("queue.cap", &format!("\"{CAP}\""));
    site.started();
    let site = site.enrolled(&kernel, &[TENANT, TENANT_B]);
    site.is_ready();
    let ours: Vec<Runtime> =
        [Courses, Labs, Courses].map(|kind| site.runtime_of(TENANT, kind).registered()).into();
    let theirs = site.runtime_of(TENANT_B, Courses).registered();
    site.comes_online(&theirs, "export");
    site.drains();
    kernel.killed();
    let flooded: Vec<String> =
        ours.iter().flat_map(|runtime| flood(runtime, Code::AuditFlood)).collect();
    theirs.check("export").consume(1).allowed();
    let kept = flood(&theirs, Code::AuditFlood);
    assert!(kept.len() > flooded.len() / 4, "{} beside {}", kept.len(), flooded.len());

    kernel.started();
    site.comes_online(&theirs, "export");
    site.drains();
    kernel.audit_of_type(TENANT, "feature.used").has_each_once(&flooded);
    kernel.audit_of_type(TENANT_B, "feature.used").has_each_once(&kept);
    // What was taken is on its way out: both are heard again.
    ours[0].tells(&large(&ours[0])).answer().ok();
    theirs.tells(&large(&theirs)).answer().ok();
    site.drains();
    kernel.verifies();
}

#[test]
fn a_flood_of_the_same_refusal_is_one_record_with_a_count_at_the_kernel() {
    let mut stage = Stage::set();
    stage.site.drains();
    let before = stage.site.verb(["queue", "stats"]).done()["last_seq"].as_u64().unwrap();
    for _ in 0..2_000 {
        stage.courses.check("nothing").denied(Code::FeatureNotGranted);
    }
    let after = stage.site.verb(["queue", "stats"]).done()["last_seq"].as_u64().unwrap();
    assert!(after - before <= 3, "{} records for one refusal", after - before);
    stage.site.stopped().started();
    stage.kernel_has_all_of_it_once();
    let denied = stage.kernel.audit_of_type(TENANT, "agent.decision.denied");
    let counts = denied.events();
    let counts = counts.iter().map(|event| event["payload"]["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 2_000);
}

/// A runtime that makes names up can neither fill the queue beyond its cap nor keep others from it.
#[test]
fn a_flood_of_refusals_under_made_up_names_stays_below_the_cap() {
    const SMALL: u64 = 8 << 20;
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(100));
    let mut site =
        Site::planned(&vendor, |plan| plan.queue_cap("8MiB")).trusting().holding(&license);
    let runaway = site.runtime(Courses).registered();
    for _ in 0..4 {
        let neighbor = site.runtime(Labs).registered();
        while neighbor.tells(&large(&neighbor)).answer().answer.status == 200 {}
    }
    let queued = || site.admin("GET", "/admin/queue").answer().ok()["bytes"].as_u64().unwrap();
    let before = queued();
    assert!(before > SMALL / 10 * 8, "{before} bytes are no full queue");
    for number in 0..2_000 {
        let made_up = format!("{number:0>200}");
        runaway.check(&made_up).denied(Code::FeatureNotGranted);
    }
    let bytes = queued();
    assert!(bytes <= SMALL, "{before} bytes became {bytes} under a cap of {SMALL}");
    runaway.check("export").consume(1).allowed();
    // Each was counted: those without a record of their own are told as one.
    site.stopped().started();
    let denied = site.audit().of_type("agent.decision.denied");
    let count = |event: &Value| event["payload"]["count"].as_u64().unwrap();
    assert_eq!(denied.iter().map(count).sum::<u64>(), 2_000);
    assert_eq!(denied.last().unwrap()["payload"]["feature"], "*");
}
