//! A detached site, alone with its products and its files.

use std::{collections::BTreeSet, sync::Mutex, thread};

use serde_json::Value;

use farhold_contract::model::RuntimeType::{Courses, Labs};
use farhold_tests::site::{Document, EventDraft, Records, Runtime, Site, Vendor};

use crate::{Moments, Told, Unanswered, consumes, rounds, tells};

/// Rounds where nothing else is said: well under a minute and a half.
const ROUNDS: u64 = 100;
/// Longest time under load in a round, in milliseconds.
const LOAD_MS: u64 = 150;
/// Longest time that an interrupted start is given, in milliseconds.
const START_MS: u64 = 20;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_twice() {
    let (rounds, moments) = rounds(ROUNDS);
    let mut story = Story::begin(moments);
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

impl Story {
    fn begin(moments: Moments) -> Self {
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
            moments,
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
        let after = self.moments.within_ms(LOAD_MS);
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
            let after = self.moments.within_ms(START_MS);
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
