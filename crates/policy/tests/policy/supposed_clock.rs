//! Claims about supposed clocks: what would be, without waiting for it.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::select};

use farhold_contract::Timestamp;
use farhold_policy::{ClockChange, SupposedClock};

use crate::{reference::Machine, support::*};

const MINUTE: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 86_400_000;
const NO_FLOOR: Timestamp = Timestamp::MIN;

fn begin() -> Timestamp {
    at("2027-06-01T00:00:00Z")
}

fn of(machine: &Machine) -> SupposedClock {
    let (clock, reading) = machine.clocks();
    SupposedClock::new(clock, &reading)
}

#[test]
fn time_that_passes_normally_reaches_the_date() {
    let mut supposed = of(&Machine::start(begin(), 0));
    let date = at("2037-06-01T00:00:00Z");
    assert_eq!(supposed.run_until(date), date.saturating_since(begin()));
    let now = supposed.now(NO_FLOOR);
    assert_eq!((now.instant, now.wall, now.mark), (date, date, date));
    assert!(supposed.changes().is_empty());
}

#[test]
fn a_date_that_has_passed_takes_no_time() {
    let mut supposed = of(&Machine::start(begin(), 0));
    assert_eq!(supposed.run_until(begin() - DAY), Duration::ZERO);
    assert_eq!(supposed.now(NO_FLOOR).instant, begin());
}

#[test]
fn a_clock_set_back_at_the_date_gains_nothing_and_is_noticed() {
    let mut supposed = of(&Machine::start(begin(), 0));
    let date = begin() + DAY * 200;
    supposed.run_until(date);
    supposed.set_back(DAY * 2);
    let now = supposed.now(NO_FLOOR);
    assert_eq!((now.instant, now.wall), (date, date - DAY * 2));
    assert!(now.is_rolled_back());
    let noticed = supposed.changes().last().unwrap();
    assert!(matches!(noticed, (at, ClockChange::RolledBack { .. }) if *at == date));
}

#[test]
fn a_clock_that_is_behind_reaches_the_date_when_the_mark_does() {
    let mut supposed = of(&Machine::start(begin(), 0));
    supposed.set_back(DAY * 30);
    assert_eq!(supposed.run_until(begin() + DAY * 10), DAY * 10);
    let now = supposed.now(NO_FLOOR);
    assert_eq!((now.instant, now.wall), (begin() + DAY * 10, begin() - DAY * 20));
}

#[test]
fn a_clock_set_years_ahead_is_believed_after_a_day() {
    let mut supposed = of(&Machine::start(begin(), 0));
    supposed.set_ahead(DAY * 3650);
    supposed.run(DAY * 30);
    let now = supposed.now(NO_FLOOR);
    assert_eq!(now.mark, begin() + DAY * 3680);
    let adopted = supposed
        .changes()
        .iter()
        .find_map(|(at, change)| matches!(change, ClockChange::LeadAdopted { .. }).then_some(*at));
    // Its date is the mark's own: there already.
    assert_eq!(adopted, Some(begin() + DAY * 3651));
    supposed.hear_kernel(begin() + DAY * 30);
    supposed.set_wall(begin() + DAY * 30);
    assert_eq!(supposed.now(NO_FLOOR).instant, begin() + DAY * 30);
}

#[test]
fn a_night_off_neither_counts_nor_interrupts_in_a_supposed_future_either() {
    let mut supposed = of(&Machine::start(begin(), 0));
    supposed.set_ahead(DAY * 30);
    supposed.run(HOUR * 20);
    supposed.power_off(HOUR * 10);
    supposed.run(HOUR * 3);
    assert_eq!(supposed.now(NO_FLOOR).mark, begin() + HOUR * 23);
    supposed.run(HOUR);
    assert_eq!(supposed.now(NO_FLOOR).mark, begin() + DAY * 30 + HOUR * 34);
}

#[test]
fn a_reset_sets_the_supposed_mark() {
    let mut supposed = of(&Machine::start(begin() + DAY * 3650, 0));
    supposed.set_wall(begin());
    supposed.reset(begin());
    assert_eq!(supposed.now(NO_FLOOR).instant, begin());
}

#[derive(Debug, Clone)]
enum Happening {
    Run { minutes: u32 },
    SetError { ms: i64 },
    PowerOff { minutes: u32 },
    Kernel,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let error = prop_oneof![
        -30 * DAY_MS..30 * DAY_MS,
        select(vec![0, DAY_MS, DAY_MS + 1, -DAY_MS - 1, 3650 * DAY_MS]),
    ];
    vec(
        prop_oneof![
            4 => (1_u32..3_000).prop_map(|minutes| Happening::Run { minutes }),
            3 => error.prop_map(|ms| Happening::SetError { ms }),
            2 => (0_u32..4_000).prop_map(|minutes| Happening::PowerOff { minutes }),
            1 => Just(Happening::Kernel),
        ],
        1..20,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_supposed_machine_comes_to_what_a_real_one_comes_to(story in happenings()) {
        let mut machine = Machine::start(begin(), 0);
        let mut supposed = of(&machine);
        for happening in &story {
            match *happening {
                Happening::Run { minutes } => {
                    machine.run(MINUTE * minutes, MINUTE);
                    supposed.run(MINUTE * minutes);
                }
                Happening::SetError { ms } => {
                    machine.set_error_ms(ms);
                    supposed.set_wall(Timestamp::from_ms(machine.truth().as_ms() + ms));
                }
                Happening::PowerOff { minutes } => {
                    machine.reboot(MINUTE * minutes, machine.error_ms());
                    supposed.power_off(MINUTE * minutes);
                }
                Happening::Kernel => {
                    machine.hear_kernel();
                    supposed.hear_kernel(machine.truth());
                }
            }
            machine.save();
            prop_assert_eq!(supposed.now(begin()), machine.now(begin()), "{:?}", happening);
        }
    }
}
