//! How long to wait after a failure.

use std::time::Duration;

use farhold_sync::{Backoff, Jitter, LIMITS, Timing, Verdict};

use crate::support::seconds;

fn backoff(seed: u64) -> Backoff {
    Backoff::new(Timing::default(), Jitter::seeded(seed))
}

#[test]
fn ceilings_double_from_a_second_to_the_cap_and_jitter_comes_after_the_cap() {
    let mut longest = [Duration::ZERO; 16];
    let mut shortest = [Duration::MAX; 16];
    for seed in 0..2_000 {
        let mut backoff = backoff(seed);
        for n in 0..16 {
            let wait = backoff.wait(Verdict::Unreachable);
            longest[n] = longest[n].max(wait);
            shortest[n] = shortest[n].min(wait);
        }
    }
    for n in 0..16 {
        let ceiling = seconds(1 << n).min(seconds(900));
        assert!(longest[n] <= ceiling && longest[n] > ceiling * 9 / 10, "{n}: {longest:?}");
        assert!(shortest[n] < ceiling / 10, "{n}: {shortest:?}");
    }
}

#[test]
fn the_first_retry_after_a_loss_is_spread_over_two_minutes_and_only_the_first() {
    let waits: Vec<(Duration, Duration)> = (0..1_000)
        .map(|seed| {
            let mut backoff = backoff(seed);
            assert_eq!(backoff.wait(Verdict::Done), Duration::ZERO);
            (backoff.wait(Verdict::Unreachable), backoff.wait(Verdict::Unreachable))
        })
        .collect();
    let late = waits.iter().filter(|(first, _)| *first > seconds(60)).count();
    assert!((400..600).contains(&late), "{late} of 1000 in the second minute");
    assert!(waits.iter().all(|(first, second)| *first <= seconds(120) && *second <= seconds(2)));
}

#[test]
fn a_retry_after_is_a_floor_with_a_spread_above_it() {
    let wished = seconds(30);
    let waits: Vec<Duration> =
        (0..500).map(|seed| backoff(seed).wait(Verdict::RetryAfter(wished))).collect();
    assert!(waits.iter().all(|wait| *wait >= wished && *wait <= wished * 3 / 2));
    assert!(waits.iter().any(|wait| *wait > wished + seconds(12)));
}

#[test]
fn six_refusals_in_a_row_make_the_question_hourly() {
    let mut backoff = backoff(1);
    for _ in 0..5 {
        assert!(backoff.wait(Verdict::AuthRejected) <= seconds(32));
        assert!(!backoff.is_rejected());
    }
    for _ in 0..10 {
        let wait = backoff.wait(Verdict::Renew);
        assert!(backoff.is_rejected());
        assert!(wait >= LIMITS.refused_pause * 9 / 10 && wait <= LIMITS.refused_pause * 11 / 10);
    }
}

#[test]
fn a_dead_network_neither_counts_as_a_refusal_nor_takes_one_back() {
    let mut backoff = backoff(1);
    for _ in 0..20 {
        backoff.wait(Verdict::Unreachable);
    }
    assert!(!backoff.is_rejected());
    for _ in 0..6 {
        backoff.wait(Verdict::AuthRejected);
        backoff.wait(Verdict::Unreachable);
        backoff.wait(Verdict::RetryLater);
    }
    assert!(backoff.is_rejected());
    backoff.wait(Verdict::Done);
    assert!(!backoff.is_rejected());
}

#[test]
fn a_success_begins_the_ceilings_anew() {
    let mut backoff = backoff(3);
    for _ in 0..12 {
        backoff.wait(Verdict::RetryLater);
    }
    backoff.wait(Verdict::NotModified);
    backoff.wait(Verdict::RetryLater); // the spread one
    assert!(backoff.wait(Verdict::RetryLater) <= seconds(2));
}
