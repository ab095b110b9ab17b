//! Which runtime is registered next.

use farhold_contract::id::RuntimeId;
use farhold_sync::{Jitter, Moment, Registration, RegistrationEffect, Timing, Verdict};

use crate::support::{at, digest, runtime, seconds};

fn registration(stated: &[(u8, u8)]) -> Registration {
    let mut registration = Registration::new(Timing::default(), Jitter::seeded(1));
    for (n, statement) in stated {
        registration.handle_stated(runtime(*n), digest(*statement), None);
    }
    registration
}

fn next(registration: &mut Registration, now: Moment) -> Option<RuntimeId> {
    registration.poll_effect(now).map(|RegistrationEffect::Register { runtime_id, .. }| runtime_id)
}

#[test]
fn runtimes_are_registered_in_the_order_they_came_one_at_a_time() {
    let mut registration = registration(&[(3, 1), (1, 1), (2, 1)]);
    assert_eq!(registration.waiting(), 3);
    for n in [3, 1, 2] {
        assert_eq!(next(&mut registration, at(1)), Some(runtime(n)));
        assert_eq!(next(&mut registration, at(9_999)), None);
        registration.handle_answer(Verdict::Done, at(1));
    }
    assert_eq!((registration.waiting(), registration.poll_timeout()), (0, None));
}

#[test]
fn what_the_kernel_has_confirmed_is_not_registered_again_until_it_states_another() {
    let mut registration = registration(&[]);
    registration.handle_stated(runtime(1), digest(1), Some(digest(1)));
    assert_eq!(next(&mut registration, at(1)), None);
    registration.handle_stated(runtime(1), digest(1), None);
    assert_eq!(next(&mut registration, at(1)), None);
    registration.handle_stated(runtime(1), digest(2), None);
    assert_eq!(next(&mut registration, at(1)), Some(runtime(1)));
}

#[test]
fn a_statement_that_changes_in_flight_is_sent_after_it() {
    let mut registration = registration(&[(1, 1)]);
    assert_eq!(next(&mut registration, at(1)), Some(runtime(1)));
    registration.handle_stated(runtime(1), digest(2), None);
    assert_eq!(next(&mut registration, at(1)), None);
    registration.handle_answer(Verdict::Done, at(2));
    assert_eq!(
        registration.poll_effect(at(2)),
        Some(RegistrationEffect::Register { runtime_id: runtime(1), statement: digest(2) })
    );
}

#[test]
fn a_refusal_is_one_runtimes_alone_and_lasts_until_it_states_another() {
    let mut registration = registration(&[(1, 1), (2, 1)]);
    assert_eq!(next(&mut registration, at(1)), Some(runtime(1)));
    registration.handle_answer(Verdict::RefusedForGood, at(1));
    assert!(registration.refused().eq([runtime(1)]));
    assert_eq!(next(&mut registration, at(1)), Some(runtime(2)));
    registration.handle_answer(Verdict::Done, at(1));
    registration.handle_stated(runtime(1), digest(1), None);
    assert_eq!(next(&mut registration, at(1_000_000)), None);
    registration.handle_stated(runtime(1), digest(2), None);
    assert_eq!(next(&mut registration, at(1_000_000)), Some(runtime(1)));
    assert_eq!(registration.refused().count(), 0);
}

#[test]
fn an_import_gives_the_refused_another_chance() {
    let mut registration = registration(&[(1, 1)]);
    assert!(next(&mut registration, at(1)).is_some());
    registration.handle_answer(Verdict::RefusedForGood, at(1));
    registration.handle_changed();
    assert_eq!(next(&mut registration, at(1)), Some(runtime(1)));
}

#[test]
fn one_that_the_kernel_can_not_take_now_goes_behind_the_others() {
    let mut registration = registration(&[(1, 1), (2, 1)]);
    assert_eq!(next(&mut registration, at(1)), Some(runtime(1)));
    registration.handle_answer(Verdict::RetryAfter(seconds(10)), at(1));
    assert_eq!(next(&mut registration, at(10)), None);
    let now = registration.poll_timeout().unwrap();
    assert_eq!(next(&mut registration, now), Some(runtime(2)));
    registration.handle_answer(Verdict::Done, now);
    assert_eq!(next(&mut registration, now), Some(runtime(1)));
}

#[test]
fn a_runtime_that_is_gone_is_not_registered() {
    let mut registration = registration(&[(1, 1), (2, 1)]);
    registration.handle_removed(runtime(1));
    assert_eq!(next(&mut registration, at(1)), Some(runtime(2)));
    registration.handle_removed(runtime(2));
    registration.handle_answer(Verdict::Unreachable, at(1));
    assert_eq!((registration.waiting(), registration.poll_timeout()), (0, None));
}

#[test]
fn a_suspended_agent_that_is_heard_again_does_not_wait_out_its_hour_and_asks_only_once() {
    let mut registration = registration(&[(1, 1)]);
    let mut now = at(1);
    for _ in 0..6 {
        assert!(next(&mut registration, now).is_some());
        registration.handle_answer(Verdict::AuthRejected, now);
        now = registration.poll_timeout().unwrap().max(now);
    }
    assert!(now > at(3_000)); // the hourly question
    registration.handle_restored();
    assert!(next(&mut registration, at(100)).is_some());
    registration.handle_answer(Verdict::AuthRejected, at(100));
    registration.handle_restored();
    assert_eq!(next(&mut registration, at(200)), None);
}
