//! A consumption can be repeated without being counted twice.

use std::thread;

use farhold_contract::{Code, model::RuntimeType::Courses};
use farhold_tests::site::{Runtime, Site, Vendor};

fn site() -> (Site, Runtime) {
    let vendor = Vendor::new();
    let license = vendor.license(|l| l.feature("export").quota(10).feature("exams"));
    let site = Site::new(&vendor).trusting().holding(&license);
    let courses = site.runtime(Courses).registered();
    (site, courses)
}

#[test]
fn the_same_key_and_body_get_the_same_bytes_also_after_a_kill() {
    let (mut site, courses) = site();
    let ask = || courses.check("export").consume(3).key("order-1").answer();
    let first = ask();
    assert_eq!(first.header("idempotency-replayed"), None);
    let bytes = first.bytes().to_vec();
    for door in site.doors() {
        let again = courses.check("export").consume(3).key("order-1").at(&door).answer();
        assert_eq!(again.bytes(), bytes);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }
    site.killed().started();
    let again = ask();
    assert_eq!(again.bytes(), bytes);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    courses.check("export").allowed().used(3);
    assert_eq!(site.audit().of_type("agent.decision.consumed").len(), 1);
}

#[test]
fn the_same_key_with_another_body_is_a_conflict_and_consumes_nothing() {
    let (_site, courses) = site();
    courses.check("export").consume(3).key("order-1").allowed();
    courses.check("export").consume(4).key("order-1").refused(Code::IdempotencyConflict);
    courses.check("exams").consume(3).key("order-1").refused(Code::IdempotencyConflict);
    courses.check("export").allowed().used(3);
}

#[test]
fn a_refusal_is_repeated_as_it_was_given() {
    let (_site, courses) = site();
    courses.check("export").consume(9).allowed();
    let ask = || courses.check("export").consume(2).key("too-much").answer();
    let bytes = ask().bytes().to_vec();
    assert!(String::from_utf8_lossy(&bytes).contains("quota.exhausted"));
    assert_eq!(ask().bytes(), bytes);
}

#[test]
fn keys_of_two_runtimes_are_apart() {
    let (site, courses) = site();
    let other = site.runtime(Courses).registered();
    courses.check("export").consume(1).key("k").allowed().used(1);
    other.check("export").consume(1).key("k").allowed().used(2);
}

#[test]
fn twenty_retries_at_once_consume_once() {
    let (site, courses) = site();
    let doors = site.doors();
    let answers: Vec<Vec<u8>> = thread::scope(|scope| {
        let ask = |number: usize| {
            let check = courses.check("export").consume(2).key("all-at-once");
            check.at(&doors[number % 2]).answer().bytes().to_vec()
        };
        let asking: Vec<_> = (0..20).map(|number| scope.spawn(move || ask(number))).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    courses.check("export").allowed().used(2);
    assert_eq!(site.audit().of_type("agent.decision.consumed").len(), 1);
}

#[test]
fn a_key_that_can_not_be_kept_or_has_no_use_is_refused() {
    let (_site, courses) = site();
    for key in ["", "two words", &"k".repeat(65)] {
        courses.check("export").consume(1).key(key).refused(Code::IdempotencyKeyInvalid);
    }
    courses.check("export").key("look-only").refused(Code::IdempotencyKeyInvalid);
    let twice = courses.check("export").consume(1).key("a").call().also("idempotency-key", "b");
    twice.answer().refused(Code::IdempotencyKeyInvalid);
    courses.check("export").allowed().used(0);
}
