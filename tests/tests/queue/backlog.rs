//! What waits, and how little it costs to have it wait.
//!
//! `FARHOLD_BACKLOG` sets how many records wait in the large one: ten million for a soak.

use std::{
    env, fs,
    time::{Duration, Instant},
};

use serde_json::json;

use farhold_contract::{Code, mode::Mode};
use farhold_tests::{
    http::Address,
    kernel_process::Kernel,
    site::{EventDraft, Runtime, TENANT, Vendor, eventually, ids},
};

use crate::stage::Stage;

/// Records in the large backlog, where nothing else is said.
const MANY: usize = 1_000_000;
/// What waits may cost so much memory more than a queue that is empty.
const MEMORY_KB: u64 = 12 << 10;
/// A start takes no longer, whatever waits.
const START: Duration = Duration::from_secs(1);

#[test]
fn a_backlog_above_the_cap_opens_is_served_and_drains() {
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    let mut stage = Stage::around(vendor, kernel, |site| site.with("queue.cap", "\"128MiB\""));
    stage.site.drains();
    stage.kernel.killed();
    let large = |runtime: &Runtime| {
        runtime.event("course.completed").payload(json!({"text": "x".repeat(60_000)}))
    };
    let mut ids = Vec::new();
    for _ in 0..20 {
        let events: Vec<EventDraft> = (0..15).map(|_| large(&stage.courses)).collect();
        stage.courses.tells_all(&events).answer().ok();
        ids.extend(events.iter().map(EventDraft::id));
    }
    // Twice as much waits as may from now on.
    stage.site.stopped();
    stage.site = stage.site.with("queue.cap", "\"8MiB\"");
    stage.site.started();
    stage.courses.check("export").consume(1).allowed();
    stage.courses.check("exams").allowed().mode(Mode::Offline);
    stage.courses.tells(&large(&stage.courses)).answer().refused(Code::AuditFull);
    assert!(stage.site.suffers("queue_full"));

    stage.kernel.started();
    stage.site.drains();
    eventually("there is room again", || {
        let event = large(&stage.courses);
        let kept = stage.courses.tells(&event).answer().answer.status == 200;
        if kept {
            ids.push(event.id());
        }
        kept
    });
    stage.site.drains();
    let taken = stage.kernel.audit_of_type(TENANT, "course.completed");
    assert_eq!(taken.len(), ids.len());
    taken.has_each_once(&ids);
    eventually("it is over", || !stage.site.suffers("queue_full"));
    stage.kernel.verifies();
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

#[test]
fn a_million_waiting_records_cost_neither_the_start_nor_memory() {
    let many = env::var("FARHOLD_BACKLOG").ok().and_then(|text| text.parse().ok());
    let many = many.unwrap_or(MANY);
    let vendor = Vendor::new();
    let kernel = Kernel::start(&vendor);
    let mut stage = Stage::around(vendor, kernel, |site| site.with("queue.cap", "\"64GiB\""));
    stage.site.drains();
    stage.kernel.killed();
    let (empty, _) = starts(&mut stage);

    let began = Instant::now();
    waits(&stage.courses, &stage.site.unix_door(), many);
    println!("{many} events told in {:?}", began.elapsed());
    let (full, took) = starts(&mut stage);
    println!("started in {took:?}; {} KiB beside {} KiB with an empty queue", full, empty);
    assert!(took < START, "{took:?}");
    assert!(full < empty + MEMORY_KB, "{full} KiB, and {empty} with an empty queue");
    assert!(stage.site.waiting() >= many as u64);

    // Nor does handing it over.
    stage.kernel.started();
    let before = stage.site.waiting();
    eventually("it is draining", || stage.site.waiting() + 50_000 < before);
    let draining = peak_kb(&stage);
    println!("{draining} KiB while it drains");
    assert!(draining < empty + 2 * MEMORY_KB, "{draining} KiB while it drains");
    stage.courses.check("export").consume(1).allowed();
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

/// Starts the agent anew and has it answered all that a site asks for at once: the most memory
/// it took, and how long it was until the first answer.
fn starts(stage: &mut Stage) -> (u64, Duration) {
    stage.site.stopped();
    let began = Instant::now();
    stage.site.started();
    stage.courses.check("exams").allowed();
    let took = began.elapsed();
    stage.courses.check("export").consume(1).allowed();
    stage.courses.tells(&stage.courses.event("login")).answer().ok();
    stage.site.status();
    stage.site.admin("GET", "/metrics").answer();
    stage.site.audit();
    (peak_kb(stage), took)
}

fn peak_kb(stage: &Stage) -> u64 {
    let path = format!("/proc/{}/status", stage.site.agent().id());
    let status = fs::read_to_string(path).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Has so many events waiting, told as fast as the agent takes them.
fn waits(courses: &Runtime, door: &Address, many: usize) {
    let bearer = format!("Bearer {}", courses.token());
    let headers = [
        ("x-tenant-id", courses.tenant()),
        ("x-runtime-id", courses.id()),
        ("x-contract-version", "v0.2"),
        ("x-correlation-id", "c-many"),
        ("authorization", &bearer),
        ("content-type", "application/json"),
    ];
    let event = |_| {
        courses.event("course.completed").saying("event_id", json!(ids::v7())).to_json().to_string()
    };
    let mut left = many;
    while left > 0 {
        let some = left.min(1_000);
        let events: Vec<String> = (0..some).map(event).collect();
        let body = format!("{{\"events\":[{}]}}", events.join(","));
        let answer = door.call("POST", "/kernel/audit/events", &headers, body.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        left -= some;
    }
}
