//! Killed at random moments under load: nothing acknowledged is lost, nothing is twice.
//!
//! `FARHOLD_ROUNDS` sets how many, `FARHOLD_SEED` repeats the moments of an earlier run.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{
    collections::BTreeSet,
    env,
    sync::Mutex,
    thread,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use farhold_contract::model::RuntimeType::{Courses, Labs};
use farhold_tests::site::{Call, Document, EventDraft, Records, Runtime, Site, Vendor, ids};

/// Rounds where nothing else is said: well under a minute and a half.
const ROUNDS: u64 = 100;
/// Longest time under load in a round, in milliseconds.
const LOAD_MS: u64 = 150;
/// Longest time that an interrupted start is given, in milliseconds.
const START_MS: u64 = 20;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_twice() {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("FARHOLD_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("FARHOLD_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        now.as_nanos() as u64
    });
    println!("FARHOLD_SEED={seed} FARHOLD_ROUNDS={rounds}");

    let mut story = Story::begin(seed);
    for round in 1..=rounds {
        story.under_load_until_killed(round);
        story.everything_acknowledged_is_there();
    }
    story.the_whole_chain_verifies();
    println!(
        "{rounds} kills, {} events and {} units acknowledged, {} retried",
        story.events.len(),
        story.units,
        story.retried
    );
}

/// One site through all rounds, and what it has acknowledged.
struct Story {
    vendor: Vendor,
    license: Document,
    site: Site,
    courses: Runtime,
    labs: Runtime,
    moments: Moments,
    /// Ids of acknowledged events.
    events: BTreeSet<String>,
    /// Acknowledged in the round that is under way.
    fresh: BTreeSet<String>,
    /// Units of acknowledged consumptions.
    units: u64,
    /// Everything read back from the chain so far.
    seen: BTreeSet<String>,
    /// The last record read back.
    read_to: u64,
    retried: usize,
}

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

impl Story {
    fn begin(seed: u64) -> Self {
        let vendor = Vendor::new();
        let license = vendor.license(|l| l.feature("export").quota(1_000_000_000));
        let site = Site::new(&vendor).trusting().holding(&license);
        let courses = site.runtime(Courses).registered();
        let labs = site.runtime(Labs).registered().at(&site.tcp_door());
        Self {
            vendor,
            license,
            site,
            courses,
            labs,
            moments: Moments(seed),
            events: BTreeSet::new(),
            fresh: BTreeSet::new(),
            units: 0,
            seen: BTreeSet::new(),
            read_to: 0,
            retried: 0,
        }
    }

    fn under_load_until_killed(&mut self, round: u64) {
        let told = Mutex::new(Told::default());
        let after = Duration::from_micros(self.moments.next() % (LOAD_MS * 1000));
        let renewal = round.is_multiple_of(10).then(|| {
            self.vendor
                .license(|l| l.renewing(&self.license).feature("export").quota(1_000_000_000))
        });
        let import = renewal.as_ref().map(|renewal| {
            self.site.admin("POST", "/admin/import").body("application/jsonl", renewal.bytes())
        });
        thread::scope(|scope| {
            for runtime in [&self.courses, &self.labs] {
                scope.spawn(|| while tells(runtime, &told) {});
                scope.spawn(|| while tells(runtime, &told) {});
                scope.spawn(|| while consumes(runtime, &told) {});
            }
            if let Some(import) = &import {
                scope.spawn(|| drop(import.tried()));
            }
            thread::sleep(after);
            self.site.killed();
        });
        while self.moments.next().is_multiple_of(4) {
            let after = Duration::from_micros(self.moments.next() % (START_MS * 1000));
            self.site.started_and_killed(after);
        }
        self.site.started();
        if let (Some(import), Some(renewal)) = (import, renewal) {
            let again = import.answer();
            assert!([200, 409].contains(&again.answer.status), "{:?}", again.answer);
            self.license = renewal;
        }
        self.settle(told.into_inner().unwrap());
    }

    /// Repeats what was not answered, and keeps what has been acknowledged.
    fn settle(&mut self, told: Told) {
        self.fresh.extend(told.events);
        self.units += told.units;
        self.retried += told.unanswered.len();
        for unanswered in told.unanswered {
            match unanswered {
                Unanswered::Events(events, call) => {
                    call.answer().ok();
                    self.fresh.extend(events.iter().map(EventDraft::id));
                }
                Unanswered::Units(units, call) => {
                    assert_eq!(call.answer().ok()["allowed"], true);
                    self.units += units;
                }
            }
        }
    }

    fn everything_acknowledged_is_there(&mut self) {
        self.courses.check("export").allowed().used(self.units);
        self.site.admin("GET", "/admin/audit/verify").answer().ok();
        let target = format!("/admin/export?from={}", self.read_to + 1);
        let export = self.site.admin("POST", &target).answer();
        let records = Records::of_export(export.bytes());
        for event in records.events() {
            let id = event["event_id"].as_str().unwrap().to_owned();
            assert!(self.seen.insert(id), "twice in the chain: {event}");
        }
        self.read_to = records.last_seq();
        let lost: Vec<_> = self.fresh.difference(&self.seen).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        self.events.append(&mut self.fresh);
    }

    fn the_whole_chain_verifies(&mut self) {
        let export = self.site.export();
        let verified = self.vendor.verifies_export(&export, &self.site.device_key());
        assert_eq!(verified["records"], self.read_to);
        let records = Records::of_export(&export.bytes());
        let ids: Vec<String> = records
            .events()
            .iter()
            .map(|event| event["event_id"].as_str().unwrap().to_owned())
            .collect();
        let distinct: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert!(self.events.iter().all(|id| distinct.contains(id)));
        let consumed = records.of_type("agent.decision.consumed");
        let units = |event: &Value| event["payload"]["units"].as_u64().unwrap();
        assert_eq!(consumed.iter().map(units).sum::<u64>(), self.units);
    }
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

/// Moments that a seed repeats (SplitMix64).
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
