//! A site and its Kernel, either of them killed, or both: under load, and while records are on
//! their way.

use std::{
    collections::BTreeSet,
    process::Stdio,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::Value;

use farhold_contract::model::RuntimeType::{Courses, Labs};
use farhold_tests::{
    kernel_process::{Kernel, LinkedSite},
    site::{EventDraft, Runtime, TENANT, Vendor},
};

use crate::{Moments, Told, Unanswered, consumes, rounds, tells};

/// Rounds where nothing else is said: half a minute.
const ROUNDS: u64 = 40;
/// So often on the way the queue is drained and the Kernel's own listing is read, all of it.
const READINGS: u64 = 4;
/// Longest time under load in a round, in milliseconds: batches go out within it.
const LOAD_MS: u64 = 600;
/// Longest time that an interrupted start is given, in milliseconds.
const START_MS: u64 = 40;
/// Longest time between the two ends, where both are killed, in milliseconds.
const BETWEEN_MS: u64 = 20;

#[test]
fn nothing_acknowledged_is_lost_on_its_way_and_nothing_is_twice_at_the_kernel() {
    let (rounds, moments) = rounds(ROUNDS);
    let mut story = Story::begin(moments);
    for round in 1..=rounds {
        story.under_load_until_killed();
        if round.is_multiple_of((rounds / READINGS).max(1)) || round == rounds {
            story.the_kernel_has_everything_once();
        }
    }
    println!(
        "{} kills of the agent and {} of the Kernel, {} events and {} units acknowledged, {} \
         retried",
        story.agents,
        story.kernels,
        story.acknowledged.len(),
        story.units,
        story.retried
    );
}

/// Who is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Agent,
    Kernel,
    Both,
}

/// One site and one Kernel through all rounds, and what the site has acknowledged.
struct Story {
    kernel: Kernel,
    site: LinkedSite,
    courses: Runtime,
    labs: Runtime,
    moments: Moments,
    /// Ids of acknowledged events.
    acknowledged: BTreeSet<String>,
    /// Units of acknowledged consumptions.
    units: u64,
    retried: usize,
    agents: u64,
    kernels: u64,
}

impl Story {
    fn begin(moments: Moments) -> Self {
        let vendor = Vendor::new();
        let kernel = Kernel::start(&vendor);
        let license = vendor.license(|l| l.managed().feature("export").quota(1_000_000_000));
        kernel.has_tenant(TENANT).holds(&license);
        let site = LinkedSite::new(&vendor).enrolled(&kernel, &[TENANT]);
        site.is_ready();
        let courses = site.runtime_of(TENANT, Courses).registered();
        let labs = site.runtime_of(TENANT, Labs).registered().at(&site.tcp_door());
        site.comes_online(&courses, "export");
        Self {
            kernel,
            site,
            courses,
            labs,
            moments,
            acknowledged: BTreeSet::new(),
            units: 0,
            retried: 0,
            agents: 0,
            kernels: 0,
        }
    }

    fn under_load_until_killed(&mut self) {
        let told = Mutex::new(Told::default());
        let enough = AtomicBool::new(false);
        let victim = match self.moments.next() % 3 {
            0 => Victim::Agent,
            1 => Victim::Kernel,
            _ => Victim::Both,
        };
        let goes_on = || !enough.load(Ordering::Relaxed);
        let (courses, labs) = (&self.courses, &self.labs);
        let (site, kernel, moments) = (&mut self.site, &mut self.kernel, &mut self.moments);
        thread::scope(|scope| {
            for runtime in [courses, labs] {
                scope.spawn(|| while goes_on() && tells(runtime, &told) {});
            }
            scope.spawn(|| while goes_on() && consumes(courses, &told) {});
            thread::sleep(moments.within_ms(LOAD_MS));
            if victim != Victim::Agent {
                kernel.killed();
            }
            if victim == Victim::Both {
                thread::sleep(moments.within_ms(BETWEEN_MS));
            }
            if victim != Victim::Kernel {
                site.killed();
            }
            enough.store(true, Ordering::Relaxed);
        });
        if victim != Victim::Agent {
            self.kernels += 1;
            self.kernel_starts();
        }
        if victim != Victim::Kernel {
            self.agents += 1;
            self.agent_starts();
        }
        self.settle(told.into_inner().unwrap());
    }

    /// Starts the Kernel; some starts are killed before they have served anybody.
    fn kernel_starts(&mut self) {
        while self.moments.next().is_multiple_of(4) {
            let mut command = self.kernel.command(["run"]);
            let mut begun = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            thread::sleep(self.moments.within_ms(START_MS));
            begun.kill().unwrap();
            begun.wait().unwrap();
        }
        self.kernel.started();
    }

    /// The same, of the agent.
    fn agent_starts(&mut self) {
        while self.moments.next().is_multiple_of(4) {
            self.site.started_and_killed(self.moments.within_ms(START_MS));
        }
        self.site.started();
    }

    /// Repeats what was not answered, and keeps what has been acknowledged.
    fn settle(&mut self, told: Told) {
        self.acknowledged.extend(told.events);
        self.units += told.units;
        self.retried += told.unanswered.len();
        for unanswered in told.unanswered {
            match unanswered {
                Unanswered::Events(events, call) => {
                    call.answer().ok();
                    self.acknowledged.extend(events.iter().map(EventDraft::id));
                }
                Unanswered::Units(units, call) => {
                    assert_eq!(call.answer().ok()["allowed"], true);
                    self.units += units;
                }
            }
        }
    }

    /// By the Kernel's own listing, its own verification, and its alerts.
    fn the_kernel_has_everything_once(&self) {
        self.courses.check("export").allowed().used(self.units);
        self.site.drains();
        let taken = self.kernel.audit(TENANT);
        let ids = taken.ids();
        let twice: Vec<_> = ids.iter().filter(|(_, times)| **times != 1).collect();
        assert!(twice.is_empty(), "more than once at the Kernel: {twice:?}");
        let lost: Vec<_> = self.acknowledged.iter().filter(|id| !ids.contains_key(*id)).collect();
        assert!(lost.is_empty(), "acknowledged and not at the Kernel: {lost:?}");
        let consumed = taken.of_type("agent.decision.consumed");
        let units = |event: &Value| event["payload"]["units"].as_u64().unwrap();
        assert_eq!(consumed.iter().map(units).sum::<u64>(), self.units);
        self.one_chain_holds_it_all(taken.handed_over().len() as u64);
        assert_eq!(self.kernel.alert_codes(), [""; 0]);
    }

    /// What was killed neither began another history nor left a hole in this one.
    fn one_chain_holds_it_all(&self, listed: u64) {
        let last = self.site.verb(["queue", "stats"]).done()["last_seq"].as_u64().unwrap();
        let agent = self.site.agent_id();
        let chains = self.kernel.verifies();
        let own: Vec<_> =
            chains.iter().filter(|chain| chain["agent_id"] == agent.as_str()).collect();
        assert_eq!(own.len(), 1, "{chains:#?}");
        assert_eq!(own[0]["branches"], 0, "{chains:#?}");
        assert_eq!(own[0]["records"], last, "{chains:#?}");
        assert_eq!(listed, last);
    }
}
