//! The Kernel goes away, dies in the middle, comes back: nothing is lost and nothing is twice.

use std::time::{Duration, Instant};

use farhold_contract::mode::Mode;
use farhold_tests::site::{EventDraft, TENANT, eventually};

use crate::stage::{Stage, tells_many};

/// As many as a busy site has waiting after a day without a link.
const MANY: usize = 50_000;

#[test]
fn a_product_is_served_while_the_kernel_is_away_and_every_event_arrives_once() {
    let mut stage = Stage::set();
    stage.kernel.killed();
    for _ in 0..20 {
        stage.courses.check("export").consume(1).allowed();
        stage.courses.tells(&stage.courses.event("login")).answer().ok();
    }
    stage.site.goes_offline(&stage.courses, "exams");
    eventually("it is said", || stage.site.suffers("kernel_unreachable"));
    stage.courses.check("export").consume(1).allowed().mode(Mode::Offline).used(21);
    assert!(stage.site.waiting() >= 41);

    stage.kernel.started();
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.audit(TENANT).of_type("login").len(), 20);
    eventually("it is over", || !stage.site.suffers("kernel_unreachable"));
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

#[test]
fn an_agent_restarted_while_the_kernel_is_away_serves_and_drains_later() {
    let mut stage = Stage::set();
    stage.kernel.killed();
    stage.courses.check("export").consume(7).allowed();
    stage.site.killed().started();
    stage.courses.check("export").consume(1).allowed().used(8).mode(Mode::Offline);
    let event = stage.courses.event("login");
    stage.courses.tells(&event).answer().ok();
    stage.kernel.started();
    stage.site.comes_online(&stage.courses, "exams");
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.audit(TENANT).of_type("login"), [event.to_json()]);
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

/// A stage whose Kernel is down and whose site has many events waiting.
fn backlog() -> (Stage, Vec<String>) {
    let mut stage = Stage::set();
    stage.kernel.killed();
    let events: Vec<EventDraft> =
        (0..MANY).map(|_| stage.courses.event("course.completed")).collect();
    tells_many(&stage.courses, &stage.site.unix_door(), &events);
    (stage, events.iter().map(EventDraft::id).collect())
}

/// Waits until the Kernel has confirmed some, and not all, of what waited.
fn is_draining(stage: &Stage, before: u64) -> u64 {
    let mut waiting = before;
    eventually("the queue is draining", || {
        waiting = stage.site.waiting();
        waiting < before
    });
    waiting
}

fn every_event_is_there_once(stage: &Stage, ids: &[String]) {
    let began = Instant::now();
    stage.site.drains();
    println!("drained after {} ms", began.elapsed().as_millis());
    let taken = stage.kernel.audit_of_type(TENANT, "course.completed");
    assert_eq!(taken.len(), MANY);
    taken.has_each_once(ids);
    stage.kernel.verifies();
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

#[test]
fn a_kernel_killed_in_its_batches_has_every_event_once_in_the_end() {
    let (mut stage, ids) = backlog();
    let mut waiting = stage.site.waiting();
    let mut in_the_middle = 0;
    for _ in 0..4 {
        stage.kernel.started();
        waiting = is_draining(&stage, waiting);
        stage.kernel.killed();
        in_the_middle += u32::from(waiting > 0);
        if waiting == 0 {
            break;
        }
    }
    assert!(in_the_middle > 0, "it was never killed while something waited");
    stage.kernel.started();
    every_event_is_there_once(&stage, &ids);
}

#[test]
fn both_killed_in_a_batch_have_every_event_once_in_the_end() {
    let (mut stage, ids) = backlog();
    let waiting = stage.site.waiting();
    stage.kernel.started();
    let waiting = is_draining(&stage, waiting);
    assert!(waiting > 0, "both are killed while something waits");
    stage.kernel.killed();
    stage.site.killed();
    stage.kernel.started();
    stage.site.started();
    stage.courses.check("export").allowed();
    every_event_is_there_once(&stage, &ids);
}

#[test]
fn an_agent_with_a_backlog_and_no_kernel_answers_at_once() {
    let (mut stage, _ids) = backlog();
    stage.site.killed();
    let began = Instant::now();
    stage.site.started();
    stage.courses.check("exams").allowed();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    stage.kernel.started();
}
