//! Simulate: what a site would say, and when, by the state machine that decides there.

mod answer;

use std::{collections::BTreeMap, time::Duration};

use farhold_bundle::{Positive, SetAside, Standing, payload::SiteMode};
use farhold_contract::{Code, Timestamp, condition::ConditionCode};
use farhold_policy::{
    ClockChange, ClockReading, ClockState, Link, Milestone, Now, PolicyState, RuntimeFacts,
    SupposedClock,
};

use crate::refusal::Refusal;
use answer::Answers;

pub use answer::{Answer, AnswerChange, Subject};

/// What is supposed of the site.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// How it is linked to the Kernel, which it reaches where it is.
    pub mode: SiteMode,
    /// Runtimes whose answers are told; without any, the answers of each entitlement.
    pub runtimes: Vec<RuntimeFacts>,
    /// When the bundle is imported.
    pub from: Timestamp,
    /// Until when it is told; absent: until nothing more happens.
    pub until: Option<Timestamp>,
    /// When someone sets the clock back, and how far.
    pub set_back: Vec<(Timestamp, Duration)>,
}

/// What happens at one instant, and what the site then says.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The true time.
    pub at: Timestamp,
    /// The times at the site: its clock, its mark, and the one it decides by.
    pub now: Now,
    /// What happens.
    pub occurrences: Vec<Occurrence>,
    /// Answers that are other than before.
    pub answers: Vec<AnswerChange>,
    /// Conditions that are new, or say something new.
    pub conditions: Vec<(ConditionCode, String)>,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Occurrence {
    /// The bundle is imported.
    Imported,
    /// A license, or some of its entitlements, changes its phase or takes over.
    Milestone(Milestone),
    /// The newest root ends: an import must bring a newer one.
    RootEnds {
        /// Its version.
        version: u64,
    },
    /// Someone sets the clock back.
    SetBack {
        /// How far.
        by: Duration,
    },
    /// What the agent notices of its clock.
    Noticed(ClockChange),
}

/// Refuses a site of a mode that a license is not for, as its import would.
///
/// # Errors
/// `license.mode_mismatch`.
pub fn require_mode(standing: &Standing, mode: SiteMode) -> Result<(), Refusal> {
    match standing.licenses().iter().find(|license| !license.modes.contains(&mode)) {
        Some(license) => {
            let what = format!(
                "license {} serial {} is not for a {} site",
                license.license_id,
                license.serial,
                mode.as_str()
            );
            Err(Refusal::new(Code::LicenseMode, what).with_next("Give --mode with the site's own."))
        }
        None => Ok(()),
    }
}

/// Everything that happens at a site that has imported what stands, in order of time.
pub fn simulate(standing: &Standing, scenario: &Scenario) -> Vec<Event> {
    let policy = PolicyState::new(standing.licenses(), standing.revocations());
    let mut site = Site::new(standing, &policy, scenario);
    let mut events = Vec::new();
    for (at, happening) in site.agenda() {
        events.push(site.reach(at, happening));
    }
    events
}

/// The site as it goes through time.
struct Site<'a> {
    standing: &'a Standing,
    policy: &'a PolicyState,
    scenario: &'a Scenario,
    link: Link,
    floor: Timestamp,
    clock: SupposedClock,
    /// The true time.
    time: Timestamp,
    noticed: usize,
    answers: Answers,
    conditions: BTreeMap<&'static str, String>,
}

/// What someone does, or what the documents bring, at one true time.
#[derive(Default)]
struct Happening {
    is_import: bool,
    set_back: Option<Duration>,
    root_ends: Option<u64>,
    milestones: Vec<Milestone>,
}

impl<'a> Site<'a> {
    fn new(standing: &'a Standing, policy: &'a PolicyState, scenario: &'a Scenario) -> Self {
        let reading = ClockReading { wall: scenario.from, boottime_ms: 0, boot_id: [1; 16] };
        Self {
            standing,
            policy,
            scenario,
            link: match scenario.mode {
                SiteMode::Managed => Link::Online,
                SiteMode::Detached => Link::Detached,
            },
            floor: standing.floor(&SetAside::new()),
            clock: SupposedClock::new(&ClockState::start(&reading), &reading),
            time: scenario.from,
            noticed: 0,
            answers: Answers::none(standing, &scenario.runtimes),
            conditions: BTreeMap::new(),
        }
    }

    /// When something happens. The clock runs true until someone sets it, and setting it back
    /// moves nothing that is decided by it: the documents' instants are true times.
    fn agenda(&self) -> BTreeMap<Timestamp, Happening> {
        let Scenario { from, until, .. } = *self.scenario;
        let in_time = |at: Timestamp| at > from && until.is_none_or(|until| at <= until);
        let mut agenda: BTreeMap<Timestamp, Happening> = BTreeMap::new();
        agenda.entry(from).or_default().is_import = true;
        // What lies before the floor has come to pass with the import itself.
        for milestone in self.policy.milestones(from.max(self.floor)) {
            if in_time(milestone.at) {
                agenda.entry(milestone.at).or_default().milestones.push(milestone);
            }
        }
        if let Some(root) = self.standing.root()
            && in_time(root.root().expires)
        {
            agenda.entry(root.root().expires).or_default().root_ends = Some(root.version());
        }
        for &(at, by) in self.scenario.set_back.iter().filter(|(at, _)| in_time(*at)) {
            agenda.entry(at).or_default().set_back = Some(by);
        }
        agenda
    }

    fn reach(&mut self, at: Timestamp, happening: Happening) -> Event {
        self.clock.run(at.saturating_since(self.time));
        self.time = at;
        let mut occurrences = Vec::new();
        if happening.is_import {
            occurrences.push(Occurrence::Imported);
        }
        occurrences.extend(happening.milestones.into_iter().map(Occurrence::Milestone));
        if let Some(version) = happening.root_ends {
            occurrences.push(Occurrence::RootEnds { version });
        }
        if let Some(by) = happening.set_back {
            self.clock.set_back(by);
            occurrences.push(Occurrence::SetBack { by });
        }
        let changes = &self.clock.changes()[self.noticed..];
        occurrences.extend(changes.iter().map(|(_, change)| Occurrence::Noticed(*change)));
        self.noticed += changes.len();
        let now = self.clock.now(self.floor);
        let answers =
            Answers::at(self.standing, self.policy, &self.scenario.runtimes, &now, self.link);
        let changed = answers.since(&self.answers);
        self.answers = answers;
        Event { at, now, occurrences, answers: changed, conditions: self.told(&now) }
    }

    /// The conditions that are new, or say something new.
    fn told(&mut self, now: &Now) -> Vec<(ConditionCode, String)> {
        let told = self.policy.conditions(now);
        let before = std::mem::take(&mut self.conditions);
        let named = told.iter().map(|(code, detail)| (code.as_str(), detail.clone()));
        self.conditions = named.collect();
        let is_new =
            |(code, detail): &(ConditionCode, String)| before.get(code.as_str()) != Some(detail);
        told.into_iter().filter(is_new).collect()
    }
}

/// The serials of a bundle's licenses, for people: the highest of each line.
pub fn serials(standing: &Standing) -> Vec<(String, Positive)> {
    let mut serials: BTreeMap<String, Positive> = BTreeMap::new();
    for license in standing.licenses() {
        let highest = serials.entry(license.product.clone()).or_insert(license.serial);
        *highest = license.serial.max(*highest);
    }
    serials.into_iter().collect()
}
