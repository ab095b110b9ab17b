//! Ten years of misuse: clocks set any way, restarts, suspends, power cuts, late and mis-dated
//! licenses, resets and Kernel times, in an order that a seed makes. After every step the three
//! properties of `bundle.md` §5 must hold.

use std::{collections::BTreeMap, time::Duration};

use farhold_bundle::{
    SetAside, Standing,
    payload::{Entitlement, License, LicenseLimits},
};
use farhold_contract::{Date, Timestamp};
use farhold_policy::{
    Counter, CounterKey, Grant, Link, Now, PolicyState, Question, Resolution, Restraints,
};

use crate::{
    reference::{Chance, Machine},
    support::*,
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * DAY_MS;
const FIRST_YEAR: i16 = 2027;
const YEARS: i16 = 10;

/// How wrong the clocks of a simulated site get.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    /// By less than a day, always.
    ALittle,
    /// By anything.
    Anyhow,
}

#[test]
fn ten_years_of_clocks_a_little_wrong_refuse_nothing_and_gain_nothing() {
    for seed in 1..=3 {
        let site = Site::live(seed, Wrong::ALittle);
        assert!(site.told.sure_to_be_granted > 3_000, "{:?}", site.told);
        assert!(site.told.reboots > 100 && site.told.suspends > 100, "{:?}", site.told);
    }
}

#[test]
fn ten_years_of_any_misuse_gain_nothing_and_are_cured() {
    let mut told = Told::default();
    for seed in 1..=4 {
        told.add(&Site::live(seed, Wrong::Anyhow).told);
    }
    // Every kind of misuse and cure has really come up.
    let Told { sure_to_be_granted, reboots, suspends, resets, lowered, misdated, late, taken } =
        told;
    for count in [sure_to_be_granted, reboots, suspends, resets, lowered, misdated, late, taken] {
        assert!(count > 3, "{told:?}");
    }
}

/// What came up.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    sure_to_be_granted: u64,
    reboots: u64,
    suspends: u64,
    resets: u64,
    lowered: u64,
    misdated: u64,
    late: u64,
    taken: u64,
}

impl Told {
    fn add(&mut self, other: &Self) {
        self.sure_to_be_granted += other.sure_to_be_granted;
        self.reboots += other.reboots;
        self.suspends += other.suspends;
        self.resets += other.resets;
        self.lowered += other.lowered;
        self.misdated += other.misdated;
        self.late += other.late;
        self.taken += other.taken;
    }
}

/// One site: its machine, its documents, its counters.
struct Site {
    chance: Chance,
    wrong: Wrong,
    machine: Machine,
    standing: Standing,
    policy: PolicyState,
    /// What the last clock reset has set aside.
    set_aside: SetAside,
    serial: u64,
    /// The year that the newest license is for, and when the next is imported.
    licensed_year: i16,
    next_import: Timestamp,
    /// What the newest license's date must be corrected by, if it is wrong.
    correction_due: Option<Timestamp>,
    counters: BTreeMap<CounterKey, Counter>,
    used: BTreeMap<(CounterKey, Option<Timestamp>), u64>,
    /// What the mark must not fall behind: running time, less a minute a reboot.
    owed: Timestamp,
    ran_ms: i64,
    told: Told,
}

impl Site {
    /// Lives through ten years and checks every step.
    fn live(seed: u64, wrong: Wrong) -> Self {
        let begin = at("2027-01-02T00:00:00Z");
        let mut chance = Chance(seed);
        let machine = Machine::start(begin, error_ms(&mut chance, wrong));
        let mut site = Self {
            chance,
            wrong,
            owed: machine.mark(),
            machine,
            standing: bare_site(),
            policy: PolicyState::default(),
            set_aside: SetAside::new(),
            serial: 0,
            licensed_year: FIRST_YEAR - 1,
            next_import: begin,
            correction_due: None,
            counters: BTreeMap::new(),
            used: BTreeMap::new(),
            ran_ms: 0,
            told: Told::default(),
        };
        site.import_if_due();
        while site.machine.truth() < at("2037-01-01T00:00:00Z") {
            site.step();
            site.import_if_due();
            site.check();
        }
        site.is_cured_by_the_kernel_and_a_new_document();
        site
    }

    /// Something happens.
    fn step(&mut self) {
        match self.chance.below(100) {
            0..72 => {
                let time = minutes(1 + self.chance.below(8 * 60));
                let look = minutes(1 + self.chance.below(60));
                self.runs(time, |machine| machine.run(time, look));
            }
            72..78 => {
                let time = minutes(1 + self.chance.below(4 * 24 * 60));
                self.told.suspends += 1;
                self.runs(time, |machine| machine.run(time, time));
            }
            78..86 => {
                let error = error_ms(&mut self.chance, self.wrong);
                self.machine.set_error_ms(error);
            }
            86..90 => self.nudge(),
            90..94 => {
                let time = minutes(self.chance.below(36 * 60));
                self.runs(time, |machine| machine.restart_agent(time));
            }
            94..97 => self.power_cut(),
            97..98 => self.hear_kernel(),
            98 => self.reset(),
            _ => self.machine.set_error_ms(0),
        }
    }

    /// Small pushes on top: ratchets and sawtooths.
    fn nudge(&mut self) {
        let by = [-HOUR_MS, HOUR_MS, 23 * HOUR_MS, -23 * HOUR_MS][self.chance.index(4)];
        let times = 1 + self.chance.below(6);
        for _ in 0..times {
            let error = self.machine.error_ms() + by;
            if self.wrong == Wrong::ALittle && error.abs() >= DAY_MS {
                break;
            }
            self.machine.set_error_ms(error);
            let time = minutes(self.chance.below(60));
            self.runs(time, |machine| machine.run(time, time));
        }
    }

    fn power_cut(&mut self) {
        let unsaved = Duration::from_secs(self.chance.below(61));
        self.runs(unsaved, |machine| machine.run_unsaved(unsaved));
        let off = minutes(self.chance.below(30 * 24 * 60));
        let error = error_ms(&mut self.chance, self.wrong);
        self.machine.reboot(off, error);
        self.owed = self.owed - minutes(1);
        self.told.reboots += 1;
    }

    fn hear_kernel(&mut self) {
        let before = self.machine.mark();
        self.machine.hear_kernel();
        self.machine.save();
        if before > self.machine.mark() {
            self.told.lowered += 1;
            self.owed = self.owed.min(self.machine.truth());
        }
    }

    /// The vendor answers the site's request: by its own clock, which is right.
    fn reset(&mut self) {
        let time = self.machine.truth();
        self.machine.reset(time);
        self.set_aside = self.standing.dated_after(time);
        self.owed = self.owed.min(time);
        self.told.resets += 1;
    }

    fn runs(&mut self, time: Duration, how: impl FnOnce(&mut Machine)) {
        how(&mut self.machine);
        self.owed = self.owed + time;
        self.ran_ms += i64::try_from(time.as_millis()).unwrap();
    }

    fn import_if_due(&mut self) {
        let truth = self.machine.truth();
        if self.correction_due.is_some_and(|due| truth >= due) {
            self.correction_due = None;
            self.import(self.licensed_year, truth);
        }
        if truth >= self.next_import && self.licensed_year < FIRST_YEAR + YEARS - 1 {
            let year = self.licensed_year + 1;
            let misdated = self.wrong == Wrong::Anyhow && self.chance.below(4) == 0;
            let mut dated = truth;
            if misdated {
                dated = dated + DAY * u32::try_from(1 + self.chance.below(4_000)).unwrap();
                self.correction_due = Some(truth + DAY * 5);
                self.told.misdated += 1;
            }
            self.import(year, dated);
            // Two months early, or up to two months late: in grace, restricted, or stopped.
            let turn = new_year(year + 1);
            let late = self.chance.below(4) == 0;
            self.told.late += u64::from(late);
            let days = u32::try_from(1 + self.chance.below(60)).unwrap();
            self.next_import = if late { turn + DAY * days } else { turn - DAY * days };
        }
    }

    fn import(&mut self, year: i16, dated: Timestamp) {
        self.serial += 1;
        self.licensed_year = year;
        let license = License {
            issued_at: dated,
            not_before: new_year(year),
            expires_on: Some(Date::from(jiff::civil::date(year, 12, 31))),
            ladder: ladder("P14D", "P30D"),
            entitlements: vec![
                daily(),
                metered("exam", 400, Some("P1M")),
                metered("life", 900, None),
            ],
            license_id: license_id(u64::try_from(year).unwrap()),
            ..license(self.serial)
        };
        self.standing = importing(&self.standing, &license, self.machine.truth());
        self.set_aside = self.standing.still_set_aside(&self.set_aside);
        self.policy = PolicyState::new(self.standing.licenses(), self.standing.revocations());
        // Also after a reset: a signed date proves that it has come.
        assert!(self.now().instant >= dated, "{dated}: {:?}", self.told);
    }

    fn now(&self) -> Now {
        self.machine.now(self.standing.floor(&self.set_aside))
    }

    fn ask(&self, feature: &str, now: &Now) -> Resolution {
        let runtime = runtime();
        let question = Question { tenant_id: tenant(1), runtime: &runtime, feature, consume: None };
        self.policy.resolve(&question, &Restraints::default(), now, Link::Detached)
    }

    fn check(&mut self) {
        let now = self.now();
        // Property 1.
        assert!(now.instant >= self.owed, "{} < {}: {:?}", now.instant, self.owed, self.told);
        assert!(now.mark >= self.owed && now.quota >= now.mark);
        assert!(now.quota <= now.wall.max(now.mark));
        self.check_that_nothing_is_refused(&now);
        for (feature, most) in [("lab", 3), ("exam", 20), ("life", 8)] {
            if let Resolution::Granted(grant) = self.ask(feature, &now) {
                let units = self.chance.below(most);
                self.take(&grant, units);
            }
        }
    }

    /// Property 2: while wall and mark are within a day of the truth, whatever is granted from a
    /// day before to a day after is granted now.
    fn check_that_nothing_is_refused(&mut self, now: &Now) {
        let truth = self.machine.truth();
        let off_ms = |at: Timestamp| at.as_ms().abs_diff(truth.as_ms());
        let is_ahead = now.mark.max(now.floor) >= truth + DAY;
        if off_ms(now.wall) >= DAY_MS.unsigned_abs() || is_ahead {
            assert!(self.wrong == Wrong::Anyhow, "nothing in this life is a day off: {now:?}");
            return;
        }
        assert!(now.instant < truth + DAY && now.instant > truth - DAY);
        let mode_at = |at: Timestamp| match self.ask("lab", &now_at(at)) {
            Resolution::Granted(grant) => Some(grant.mode),
            Resolution::Refused(_) => None,
        };
        if mode_at(truth - DAY).is_some() && mode_at(truth + DAY).is_some() {
            let resolution = self.ask("lab", now);
            assert!(matches!(resolution, Resolution::Granted(_)), "{now:?} {resolution:?}");
            self.told.sure_to_be_granted += 1;
        }
    }

    /// Property 3: no window is opened twice, and none holds more than its quota.
    fn take(&mut self, grant: &Grant, units: u64) {
        let metered = grant.counter.as_ref().unwrap();
        let stored = self.counters.get(&metered.key).copied();
        let (decision, changed) = grant.decide(stored, Some(units));
        let Some(counter) = changed else { return };
        assert!(decision.allowed);
        assert!(stored.is_none_or(|stored| stored.window_start <= counter.window_start));
        self.told.taken += units;
        let used = self.used.entry((metered.key.clone(), counter.window_start)).or_default();
        *used += units;
        assert!(*used <= metered.quota + metered.overage, "{:?}: {used}", metered.key);
        if let Some(start) = counter.window_start {
            let lies_in_a_license =
                start >= new_year(FIRST_YEAR) && start < new_year(FIRST_YEAR + YEARS) + DAY * 14;
            assert!(start.as_ms() % DAY_MS == 0 && lies_in_a_license, "{start}");
            // A window opens when a clock of the site has reached it, and then stays.
            let opens = stored.is_none_or(|stored| stored.window_start < counter.window_start);
            assert!(!opens || start <= latest(&self.now()), "{start}");
        }
        self.counters.insert(metered.key.clone(), counter);
    }

    /// However it was misused: a right clock, the Kernel's word and a rightly dated document, and
    /// nothing of it is left.
    fn is_cured_by_the_kernel_and_a_new_document(&mut self) {
        self.machine.set_error_ms(0);
        self.machine.hear_kernel();
        let truth = self.machine.truth();
        self.import(FIRST_YEAR + YEARS, truth);
        let now = self.now();
        assert!(now.instant >= truth && now.instant <= truth + DAY, "{now:?} at {truth}");
        let days = (YEARS as u64) * 366 + 60;
        let windows = |feature: &str| {
            self.used.keys().filter(|(key, _)| &*key.feature == feature).count() as u64
        };
        assert!(windows("lab") <= days && windows("exam") <= days / 28, "{:?}", self.told);
        assert!(windows("life") <= (YEARS as u64) + 1);
    }
}

/// The latest instant at which a window may begin.
fn latest(now: &Now) -> Timestamp {
    // Quota time before a license's beginning counts as its beginning.
    now.quota.max(now.instant)
}

fn daily() -> Entitlement {
    let limits =
        LicenseLimits { overage: Some(positive(2)), ..metered("lab", 9, Some("P1D")).limits };
    Entitlement { limits, ..entitlement("lab") }
}

fn new_year(year: i16) -> Timestamp {
    at(&format!("{year}-01-01T00:00:00Z"))
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

fn error_ms(chance: &mut Chance, wrong: Wrong) -> i64 {
    let within = |chance: &mut Chance, bound: i64| {
        i64::try_from(chance.below(u64::try_from(2 * bound).unwrap())).unwrap() - bound
    };
    match (wrong, chance.below(10)) {
        (_, 0..4) => 0,
        (Wrong::ALittle, _) => within(chance, DAY_MS - 1),
        (Wrong::Anyhow, 4..6) => within(chance, 25 * HOUR_MS),
        (Wrong::Anyhow, 6..8) => within(chance, 40 * DAY_MS),
        (Wrong::Anyhow, 8) => within(chance, 60 * YEAR_MS),
        (Wrong::Anyhow, _) => {
            [-DAY_MS - 1, -DAY_MS, DAY_MS, DAY_MS + 1, 10 * YEAR_MS][chance.index(5)]
        }
    }
}
