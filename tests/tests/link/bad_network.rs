//! A network that fails in each of its ways: the product never notices, and nothing is lost.

use std::time::{Duration, Instant};

use farhold_tests::{
    net::{
        Behavior::{self, *},
        Direction::{Down, Up},
    },
    site::{EventDraft, TENANT, eventually},
};

use crate::stage::{Stage, tells_many};

/// More than fits into what a connection may carry before it is reset.
const EVENTS: usize = 2_000;
/// A product does not wait longer, whatever the network does.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The product is served while the network is so, and everything arrives once when it heals.
fn nothing_is_lost_while_the_network(behavior: Behavior) {
    let (stage, network) = Stage::behind_a_network();
    network.turns(behavior);
    let events: Vec<EventDraft> =
        (0..EVENTS).map(|_| stage.courses.event("course.completed")).collect();
    tells_many(&stage.courses, &stage.site.unix_door(), &events);
    let began = Instant::now();
    stage.courses.check("export").consume(1).allowed();
    assert!(began.elapsed() < AT_ONCE, "{behavior:?}: {:?}", began.elapsed());
    if matches!(behavior, Refuse | BlackHole | HalfOpen(_)) {
        stage.site.goes_offline(&stage.courses, "exams");
    }
    network.turns(Pass);
    stage.site.comes_online(&stage.courses, "exams");
    stage.site.drains();
    let ids: Vec<String> = events.iter().map(EventDraft::id).collect();
    let taken = stage.kernel.audit_of_type(TENANT, "course.completed");
    assert_eq!(taken.len(), EVENTS, "{behavior:?}");
    taken.has_each_once(&ids);
    stage.kernel.verifies();
    assert_eq!(stage.kernel.alert_codes(), [""; 0], "{behavior:?}");
}

#[test]
fn that_refuses() {
    nothing_is_lost_while_the_network(Refuse);
}

#[test]
fn that_is_a_black_hole() {
    nothing_is_lost_while_the_network(BlackHole);
}

#[test]
fn that_is_half_open_to_the_kernel() {
    nothing_is_lost_while_the_network(HalfOpen(Up));
}

#[test]
fn that_is_half_open_to_the_site() {
    nothing_is_lost_while_the_network(HalfOpen(Down));
}

#[test]
fn that_resets_in_the_middle_of_a_body() {
    nothing_is_lost_while_the_network(ResetAfter(Up, 20_000));
}

#[test]
fn that_resets_in_the_middle_of_an_answer() {
    nothing_is_lost_while_the_network(ResetAfter(Down, 2_000));
}

#[test]
fn that_is_slow() {
    nothing_is_lost_while_the_network(Delay(Duration::from_millis(100)));
}

#[test]
fn that_drips() {
    nothing_is_lost_while_the_network(Drip(Up, Duration::from_millis(20)));
}

#[test]
fn a_batch_whose_answer_was_lost_is_sent_again_and_is_there_once() {
    let (stage, network) = Stage::behind_a_network();
    stage.site.drains();
    network.turns(CutAnswer);
    let event = stage.courses.event("login");
    stage.courses.tells(&event).answer().ok();
    eventually("the Kernel has it", || !stage.kernel.audit_of_type(TENANT, "login").is_empty());
    assert!(stage.site.waiting() > 0, "the site does not know it");
    network.turns(Refuse);
    network.turns(Pass);
    stage.kernel_has_all_of_it_once();
    assert_eq!(stage.kernel.audit(TENANT).of_type("login"), [event.to_json()]);
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}

#[test]
fn a_registration_whose_answer_was_lost_ends_in_one_runtime() {
    let (stage, network) = Stage::behind_a_network();
    eventually("the first is registered", || stage.kernel.runtimes(TENANT).len() == 1);
    stage.site.drains();
    network.turns(CutAnswer);
    let labs =
        stage.site.runtime_of(TENANT, farhold_contract::model::RuntimeType::Labs).registered();
    labs.check("exams").allowed();
    eventually("the Kernel knows it", || stage.kernel.runtimes(TENANT).len() == 2);
    network.turns(Refuse);
    network.turns(Pass);
    stage.site.comes_online(&labs, "exams");
    assert_eq!(stage.kernel.runtimes(TENANT).len(), 2);
    assert_eq!(stage.kernel.alert_codes(), [""; 0]);
}
