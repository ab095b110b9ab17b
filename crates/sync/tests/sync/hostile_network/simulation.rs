//! The shell of the simulation: it drives the machines as the agent does, and holds them to what
//! they promise at every step.

use std::{collections::BTreeMap, time::Duration};

use farhold_audit::Head;
use farhold_contract::call::{batch::HeldHead, heartbeat::Backfill};
use farhold_sync::{
    Call, Freshness, Jitter, Moment, Outcome, Pace, PaceEffect, Push, PushAnswer, PushEffect,
    PushReport, Timing, Verdict, verdict,
};

use crate::{
    reference::{Batch, Fate, Kernel, Network, Site, Weather},
    support::{at, seconds},
};

const HORIZON: Moment = at(6 * 86_400);

/// What befalls one of the two.
#[derive(Debug, Clone, Copy)]
pub enum Disaster {
    BackUpKernel,
    RestoreKernel,
    SnapSite,
    RestoreSite,
}

/// What will happen, all of it from one seed.
#[derive(Debug)]
pub struct Plan {
    seed: u64,
    appends: BTreeMap<Moment, u64>,
    disasters: BTreeMap<Moment, Disaster>,
    windows: Vec<(Moment, Moment, Weather)>,
    calm_from: Moment,
    prunes: bool,
}

impl Plan {
    pub fn random(seed: u64) -> Self {
        let mut chance = Jitter::seeded(seed);
        let mut moment = |most: Duration| at(0) + chance.up_to(most);
        let days = HORIZON.saturating_since(at(0));
        let appends = (0..150).map(|_| moment(days)).collect::<Vec<_>>();
        let starts = (0..12).map(|_| moment(days)).collect::<Vec<_>>();
        let appends = appends
            .into_iter()
            // Mostly a few; now and then more than two batches hold.
            .map(|moment| {
                (
                    moment,
                    if chance.draw().is_multiple_of(50) { 2_500 } else { chance.draw() % 20 + 1 },
                )
            })
            .collect();
        let windows = starts
            .into_iter()
            .map(|from| {
                let (weather, most) = match chance.draw() % 6 {
                    0 | 1 => (Weather::Partition, seconds(2 * 86_400)),
                    2 => (Weather::Burst, seconds(3_600)),
                    3 => (Weather::Overload, seconds(3_600)),
                    4 => (Weather::Portal, seconds(12 * 3_600)),
                    _ => (Weather::Narrow(chance.draw() as usize % 300 + 1), seconds(86_400)),
                };
                (from, (from + chance.up_to(most)).min(HORIZON), weather)
            })
            .collect();
        Self {
            seed,
            appends,
            disasters: BTreeMap::new(),
            windows,
            calm_from: HORIZON,
            prunes: false,
        }
    }

    /// Fine weather, and a few records every ten minutes.
    pub fn quiet(seed: u64) -> Self {
        let appends = (0..800).map(|n| (at(600 * n + 300), n % 5 + 1)).collect();
        Self { appends, windows: Vec::new(), calm_from: at(0), ..Self::random(seed) }
    }

    pub fn with(mut self, moment: Moment, disaster: Disaster) -> Self {
        self.disasters.insert(moment, disaster);
        self
    }

    /// The Kernel is backed up, and set back to its last backup, at moments nobody chose.
    pub fn with_random_restores(mut self) -> Self {
        let mut chance = Jitter::seeded(self.seed ^ 0xbac);
        for n in 0..12 {
            let disaster =
                if n % 2 == 0 { Disaster::BackUpKernel } else { Disaster::RestoreKernel };
            let moment = at(0) + chance.up_to(HORIZON.saturating_since(at(0)));
            self.disasters.insert(moment, disaster);
        }
        self
    }

    /// The site keeps little of what was confirmed.
    pub fn pruning(self) -> Self {
        Self { prunes: true, ..self }
    }

    pub fn under(self, windows: Vec<(Moment, Moment, Weather)>) -> Self {
        Self { windows, ..self }
    }
}

pub struct Simulation {
    seed: u64,
    now: Moment,
    appends: BTreeMap<Moment, u64>,
    disasters: BTreeMap<Moment, Disaster>,
    prunes: bool,
    network: Network,
    chance: Jitter,
    kernel: Kernel,
    backup: Kernel,
    site: Site,
    snapshot: Site,
    pace: Pace,
    freshness: Freshness,
    push: Push,
    /// What arrives, and what is given up, in order of time.
    events: BTreeMap<(Moment, u64), Event>,
    next_event: u64,
    /// Restarts make the answers of the run before go nowhere.
    life: u32,
    in_flight: BTreeMap<Call, u32>,
    events_written: u64,
    confirmed_to: u64,
    confirmed: Vec<(u64, Head)>,
    attempts: Vec<Moment>,
    batches: usize,
    groups: usize,
}

#[derive(Debug)]
enum Event {
    Arrives { sent: Sent, answer: Option<(u32, Moment)> },
    Heard { life: u32, heard: Heard },
}

#[derive(Debug, Clone)]
enum Sent {
    Heartbeat { seq: u64, head: Head },
    Batch(Batch),
}

#[derive(Debug)]
enum Heard {
    Heartbeat(Vec<Backfill>),
    Receipt { to: u64, head: Head },
    Gap(Vec<HeldHead>),
    Failed(Call, Outcome),
}

impl Simulation {
    pub fn new(plan: Plan) -> Self {
        let mut chance = Jitter::seeded(plan.seed ^ 0x5eed);
        let now = at(0);
        let site = Site::default();
        let network = Network::new(plan.windows, plan.calm_from, Jitter::seeded(chance.draw()));
        let (pace, freshness, push) = machines(&mut chance, &site, now);
        Self {
            seed: plan.seed,
            now,
            appends: plan.appends,
            disasters: plan.disasters,
            prunes: plan.prunes,
            network,
            chance,
            kernel: Kernel::default(),
            backup: Kernel::default(),
            snapshot: site.clone(),
            site,
            pace,
            freshness,
            push,
            events: BTreeMap::new(),
            next_event: 0,
            life: 0,
            in_flight: BTreeMap::new(),
            events_written: 0,
            confirmed_to: 0,
            confirmed: Vec::new(),
            attempts: Vec::new(),
            batches: 0,
            groups: 0,
        }
    }

    /// Lets everything happen that was planned.
    pub fn run(&mut self) {
        while self.step(HORIZON) {}
        self.now = self.now.max(HORIZON);
    }

    /// The weather has cleared: nothing may be left after `within`.
    pub fn drains_within(&mut self, within: Duration) {
        let deadline = self.now + within;
        while !self.is_drained() {
            assert!(self.step(deadline), "{} of {} wait", self.push.waiting(), self.site.last());
        }
        // A heartbeat that crossed the last batch may have asked for what was under way.
        let settled = self.now + seconds(120);
        while self.step(settled) {}
        // And nothing happens afterwards: no record is sent for nothing.
        let batches = self.batches;
        while self.step(deadline.max(settled) + within) {}
        assert_eq!(self.batches, batches);
        assert!(self.kernel.accounted.values().all(|times| *times == 1));
        assert!(!self.push.is_blocked());
        assert!(!self.freshness.is_offline(self.now));
    }

    /// How many records the Kernel knows that it confirmed and does not hold.
    pub fn lost(&self) -> u64 {
        self.kernel.lost.iter().map(|(from, to)| to - from + 1).sum()
    }

    pub fn kernel_keeps_all_it_confirmed(&self) {
        assert!(self.confirmed.iter().all(|(seq, head)| self.kernel.holds(*seq, *head)));
    }

    pub fn attempts_in(&self, from: Moment, to: Moment) -> usize {
        self.attempts.iter().filter(|moment| (from..to).contains(moment)).count()
    }

    pub const fn batches_and_groups(&self) -> (usize, usize) {
        (self.batches, self.groups)
    }

    fn is_drained(&self) -> bool {
        self.push.waiting() == 0
            && (1..=self.site.last()).all(|seq| {
                self.kernel.holds(seq, self.site.head(seq).unwrap()) || self.is_lost(seq)
            })
    }

    fn is_lost(&self, seq: u64) -> bool {
        self.kernel.lost.iter().any(|(from, to)| (*from..=*to).contains(&seq))
    }

    /// Goes on to the next thing that happens before `end`; false if nothing does.
    fn step(&mut self, end: Moment) -> bool {
        let next = [
            self.pace.poll_timeout(),
            self.freshness.poll_timeout(),
            self.push.poll_timeout(),
            self.events.first_key_value().map(|((moment, _), _)| *moment),
            self.appends.first_key_value().map(|(moment, _)| *moment),
            self.disasters.first_key_value().map(|(moment, _)| *moment),
        ];
        let Some(next) = next.into_iter().flatten().min().filter(|next| *next < end) else {
            return false;
        };
        self.now = self.now.max(next);
        if let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let event = entry.remove();
            self.happen(event);
        }
        if let Some(entry) = self.appends.first_entry().filter(|entry| *entry.key() <= self.now) {
            let records = entry.remove();
            self.append(records);
        }
        if let Some(entry) = self.disasters.first_entry().filter(|entry| *entry.key() <= self.now) {
            let disaster = entry.remove();
            self.strike(disaster);
        }
        self.freshness.handle_timeout(self.now);
        self.drive();
        true
    }

    /// What the agent's tasks do.
    fn drive(&mut self) {
        while let Some(PaceEffect::Heartbeat) = self.pace.poll_effect(self.now) {
            let seq = self.site.last();
            let head = self.site.head(seq).unwrap();
            self.call(Call::Heartbeat, Sent::Heartbeat { seq, head }, 0);
        }
        while let Some(effect) = self.push.poll_effect(self.now) {
            match effect {
                PushEffect::Send(run) => {
                    assert!(run.from >= 1 && run.from <= run.to && run.to <= self.site.last());
                    assert!(run.to - run.from < 1_000 && run.bytes <= 1 << 20);
                    assert!(run.from <= self.confirmed_to + 1, "a batch overtakes another");
                    // What can be sent without a receipt is: one skips what the site may still have.
                    if let Some(seq) = run.receipt {
                        assert!(self.prunes && seq + 1 == run.from);
                    }
                    let batch = self.site.batch(run);
                    let records = batch.records.len();
                    self.batches += 1;
                    self.call(Call::Push, Sent::Batch(batch), records);
                }
                PushEffect::LookUpHead { seq } => {
                    self.push.handle_head(seq, self.site.known_head(seq), self.now);
                }
                PushEffect::LookUpReceipt { from } => {
                    assert!(self.prunes && from >= self.site.pruned_to);
                    self.push.handle_receipted(self.site.receipted(from), self.now);
                }
                PushEffect::Report(PushReport::Rewound { to }) => assert!(to < self.site.last()),
                PushEffect::Report(PushReport::Missing { to, .. }) if self.prunes => {
                    // Up to the first receipt behind what is not kept, and no record more.
                    let receipted = self.site.receipted(self.site.pruned_to).unwrap();
                    assert!(to <= receipted.max(self.site.pruned_to + 1), "{to} of {receipted}");
                }
                PushEffect::Report(report) => panic!("{report:?}: nothing is pruned or foreign"),
            }
        }
    }

    fn call(&mut self, call: Call, sent: Sent, records: usize) {
        let flying = self.in_flight.insert(call, self.life);
        assert_ne!(flying, Some(self.life), "two of {call:?} in flight");
        self.attempts.push(self.now);
        match self.network.fate(self.now, records) {
            Fate::Lost { outcome, ends } => {
                let heard = Heard::Failed(call, outcome);
                self.later(ends, Event::Heard { life: self.life, heard });
            }
            Fate::Taken { arrives, again, heard, ends } => {
                if let Some(again) = again {
                    self.later(again, Event::Arrives { sent: sent.clone(), answer: None });
                }
                let answer = heard.then_some((self.life, self.now + ends));
                self.later(arrives, Event::Arrives { sent, answer });
                if !heard {
                    let outcome = Outcome::Failed(farhold_sync::Failure::TimedOut);
                    let heard = Heard::Failed(call, outcome);
                    self.later(ends, Event::Heard { life: self.life, heard });
                }
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrives { sent, answer } => {
                let heard = match &sent {
                    Sent::Heartbeat { seq, head } => {
                        Heard::Heartbeat(self.kernel.backfill(*seq, *head))
                    }
                    Sent::Batch(batch) => match self.kernel.take(batch, &self.confirmed) {
                        Ok((to, head)) => {
                            self.confirmed.push((to, head));
                            Heard::Receipt { to, head }
                        }
                        Err(heads) => Heard::Gap(heads),
                    },
                };
                if let Some((life, ends)) = answer {
                    let wait = ends.saturating_since(self.now);
                    self.later(wait, Event::Heard { life, heard });
                }
            }
            Event::Heard { life, heard } if life == self.life => self.hear(heard),
            Event::Heard { .. } => {}
        }
    }

    fn hear(&mut self, heard: Heard) {
        let now = self.now;
        match heard {
            Heard::Heartbeat(backfill) => {
                self.in_flight.remove(&Call::Heartbeat);
                self.pace.handle_answer(Verdict::Done, Some(60), now);
                self.freshness.handle_accepted(self.pace.poll_after(), now);
                self.push.handle_pruned(self.site.first());
                self.push.handle_heartbeat(&backfill);
            }
            Heard::Receipt { to, head } => {
                self.in_flight.remove(&Call::Push);
                assert_eq!(self.site.head(to), Some(head));
                if self.site.acknowledged < to {
                    self.site.acknowledged = to;
                    self.site.receipts.insert(to, head);
                }
                self.confirmed_to = self.confirmed_to.max(to);
                self.push.handle_answer(PushAnswer::Accepted { to }, now);
                if self.chance.draw().is_multiple_of(10) {
                    // The same once more: harmless.
                    self.push.handle_answer(PushAnswer::Accepted { to }, now);
                }
            }
            Heard::Gap(heads) => {
                self.in_flight.remove(&Call::Push);
                self.push.handle_pruned(self.site.first());
                self.push.handle_answer(PushAnswer::Gap { heads }, now);
            }
            Heard::Failed(call, outcome) => {
                self.in_flight.remove(&call);
                let verdict = verdict(call, &outcome);
                if call == Call::Heartbeat {
                    self.pace.handle_answer(verdict, None, now);
                } else {
                    self.push.handle_answer(PushAnswer::Failed(verdict), now);
                }
            }
        }
    }

    fn append(&mut self, records: u64) {
        self.groups += 1;
        for _ in 0..records {
            self.events_written += 1;
            let bytes = 200 + self.chance.draw() % 4_000;
            self.site.append(self.events_written, bytes);
        }
        self.push.handle_appended(self.site.last(), self.now);
        if self.prunes {
            let kept = self.chance.draw() % 300;
            self.site.prune(self.site.acknowledged.saturating_sub(kept));
            self.push.handle_pruned(self.site.first());
        }
    }

    fn strike(&mut self, disaster: Disaster) {
        match disaster {
            Disaster::BackUpKernel => self.backup = self.kernel.clone(),
            Disaster::RestoreKernel => self.kernel = self.backup.clone(),
            Disaster::SnapSite => self.snapshot = self.site.clone(),
            Disaster::RestoreSite => {
                self.site = self.snapshot.clone();
                self.confirmed_to = self.site.acknowledged;
                self.life += 1;
                (self.pace, self.freshness, self.push) =
                    machines(&mut self.chance, &self.site, self.now);
            }
        }
    }

    fn later(&mut self, wait: Duration, event: Event) {
        self.events.insert((self.now + wait, self.next_event), event);
        self.next_event += 1;
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failing seed: {}, at {:?}", self.seed, self.now);
        }
    }
}

fn machines(chance: &mut Jitter, site: &Site, now: Moment) -> (Pace, Freshness, Push) {
    let timing = Timing::default();
    (
        Pace::new(timing, Jitter::seeded(chance.draw()), now),
        Freshness::new(None, timing.poll_after, now),
        Push::new(timing, Jitter::seeded(chance.draw()), site.backlog()),
    )
}
