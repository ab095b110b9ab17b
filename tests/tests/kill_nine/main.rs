//! Killed at random moments under load: nothing acknowledged is lost, nothing is twice.
//!
//! `FARHOLD_ROUNDS` sets how many, `FARHOLD_SEED` repeats the moments of an earlier run.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod alone;
mod linked;

use std::{
    env,
    sync::Mutex,
    time::{Duration, SystemTime},
};

use farhold_tests::site::{Call, EventDraft, Runtime, ids};

/// What callers were told before the agent was killed, and what they were not.
#[derive(Default)]
struct Told {
    events: Vec<String>,
    units: u64,
    unanswered: Vec<Unanswered>,
}

/// A call without an answer: it is repeated, byte for byte, until it has one.
enum Unanswered {
    Events(Vec<EventDraft>, Call),
    Units(u64, Call),
}

/// Moments that a seed repeats (SplitMix64).
struct Moments(u64);

/// How many rounds, and by which moments; said, so that a run can be repeated.
fn rounds(without_a_word: u64) -> (u64, Moments) {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("FARHOLD_ROUNDS").unwrap_or(without_a_word);
    let seed = number("FARHOLD_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        now.as_nanos() as u64
    });
    println!("FARHOLD_SEED={seed} FARHOLD_ROUNDS={rounds}");
    (rounds, Moments(seed))
}

/// Hands one event or a few over; `false` once nobody answers.
fn tells(runtime: &Runtime, told: &Mutex<Told>) -> bool {
    let first = runtime.event("feature.used");
    let many = first.id().ends_with(['0', '1', '2', '3']);
    let (events, call) = if many {
        let events: Vec<_> = (0..5).map(|_| runtime.event("course.completed")).collect();
        let call = runtime.tells_all(&events);
        (events, call)
    } else {
        let call = runtime.tells(&first);
        (vec![first], call)
    };
    let answered = call.tried();
    let mut told = told.lock().unwrap();
    match answered {
        Ok(answered) => {
            answered.ok();
            told.events.extend(events.iter().map(EventDraft::id));
            true
        }
        Err(_) => {
            told.unanswered.push(Unanswered::Events(events, call));
            false
        }
    }
}

/// Consumes a few units; `false` once nobody answers.
fn consumes(runtime: &Runtime, told: &Mutex<Told>) -> bool {
    let key = ids::v7();
    let units = 1 + u64::from(key.as_bytes()[35]) % 3;
    let call = runtime.check("export").consume(units).key(&key).call();
    let answered = call.tried();
    let mut told = told.lock().unwrap();
    match answered {
        Ok(answered) => {
            assert_eq!(answered.ok()["allowed"], true);
            told.units += units;
            true
        }
        Err(_) => {
            told.unanswered.push(Unanswered::Units(units, call));
            false
        }
    }
}

impl Moments {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A moment within so many milliseconds.
    fn within_ms(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.next() % (most * 1000))
    }
}
