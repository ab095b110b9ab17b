//! When the next heartbeat is due.

use std::time::Duration;

use farhold_sync::{Jitter, Moment, Pace, PaceEffect, Timing, Verdict};

use crate::support::{at, seconds};

fn sent(seed: u64) -> (Pace, Moment) {
    let mut pace = Pace::new(Timing::default(), Jitter::seeded(seed), at(10));
    let now = pace.poll_timeout().unwrap();
    assert!(now >= at(10) && now <= at(25));
    assert_eq!(pace.poll_effect(now), Some(PaceEffect::Heartbeat));
    (pace, now)
}

#[test]
fn one_heartbeat_is_in_flight_at_a_time() {
    let (mut pace, now) = sent(1);
    pace.handle_wanted(now);
    assert_eq!(pace.poll_timeout(), None);
    assert_eq!(pace.poll_effect(now + seconds(100_000)), None);
    pace.handle_changed(now);
    assert_eq!(pace.poll_effect(now + seconds(100_000)), None);
}

#[test]
fn the_next_comes_after_poll_after_give_or_take_half() {
    let mut waits: Vec<Duration> = (0..500)
        .map(|seed| {
            let (mut pace, now) = sent(seed);
            pace.handle_answer(Verdict::Done, Some(100), now);
            pace.poll_timeout().unwrap().saturating_since(now)
        })
        .collect();
    waits.sort();
    assert!(waits[0] >= seconds(50) && waits[0] < seconds(53), "{:?}", waits[0]);
    assert!(waits[499] <= seconds(150) && waits[499] > seconds(147), "{:?}", waits[499]);
}

#[test]
fn an_absurd_poll_after_is_bounded() {
    for (asked, least, most) in [(0, 0, 2), (u32::MAX, 43_200, 129_600)] {
        let (mut pace, now) = sent(1);
        pace.handle_answer(Verdict::Done, Some(asked), now);
        let wait = pace.poll_timeout().unwrap().saturating_since(now);
        assert!(wait >= seconds(least) && wait <= seconds(most), "{asked}: {wait:?}");
        assert!(pace.poll_after() >= seconds(1) && pace.poll_after() <= seconds(86_400));
    }
}

#[test]
fn a_wish_ends_the_wait_for_the_next_poll_but_no_backoff() {
    let (mut pace, now) = sent(1);
    pace.handle_answer(Verdict::Done, Some(60), now);
    pace.handle_wanted(now + seconds(1));
    assert_eq!(pace.poll_effect(now + seconds(1)), Some(PaceEffect::Heartbeat));
    let now = now + seconds(2);
    pace.handle_answer(Verdict::RetryAfter(seconds(40)), None, now);
    pace.handle_wanted(now);
    assert_eq!(pace.poll_effect(now + seconds(39)), None);
    assert_eq!(pace.poll_effect(now + seconds(60)), Some(PaceEffect::Heartbeat));
}

#[test]
fn a_refused_agent_asks_hourly_until_something_changes() {
    let (mut pace, mut now) = sent(1);
    for _ in 0..6 {
        assert!(!pace.is_rejected());
        pace.handle_answer(Verdict::AuthRejected, None, now);
        now = pace.poll_timeout().unwrap();
        assert_eq!(pace.poll_effect(now), Some(PaceEffect::Heartbeat));
    }
    assert!(pace.is_rejected());
    pace.handle_answer(Verdict::AuthRejected, None, now);
    assert!(pace.poll_timeout().unwrap() >= now + seconds(3_240));
    pace.handle_changed(now);
    assert!(!pace.is_rejected());
    assert_eq!(pace.poll_effect(now), Some(PaceEffect::Heartbeat));
}

#[test]
fn an_answer_nobody_waits_for_changes_nothing() {
    let (mut pace, now) = sent(1);
    pace.handle_answer(Verdict::Done, Some(60), now);
    let before = (pace.poll_timeout(), pace.poll_after());
    pace.handle_answer(Verdict::Done, Some(5), now + seconds(1));
    pace.handle_answer(Verdict::AuthRejected, None, now + seconds(1));
    assert_eq!((pace.poll_timeout(), pace.poll_after()), before);
}
