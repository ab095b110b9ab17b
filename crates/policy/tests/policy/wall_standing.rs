//! Claims about what is said of a system clock that is not at the mark. Nothing is decided by it.

use std::time::Duration;

use proptest::prelude::*;

use farhold_contract::Timestamp;
use farhold_policy::{ClockState, WallStanding};

use crate::{reference::Machine, support::*};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const NO_FLOOR: Timestamp = Timestamp::MIN;

fn begin() -> Timestamp {
    at("2027-06-01T00:00:00Z")
}

/// A machine whose first wall has held for so long that it is the one believed.
fn settled_machine() -> Machine {
    let mut machine = Machine::start(begin(), 0);
    machine.run(DAY * 8, HOUR);
    machine
}

fn standing(machine: &Machine) -> WallStanding {
    let (clock, reading) = machine.clocks();
    clock.wall_standing(&reading, NO_FLOOR)
}

#[test]
fn a_clock_that_goes_right_agrees_and_five_minutes_are_nothing() {
    let mut machine = settled_machine();
    assert_eq!(standing(&machine), WallStanding::Agrees);
    machine.set_error_ms(-5 * 60_000);
    assert_eq!(standing(&machine), WallStanding::Agrees);
    machine.set_error_ms(-5 * 60_000 - 1);
    assert!(matches!(standing(&machine), WallStanding::SetBack { .. }));
}

#[test]
fn a_clock_set_back_stays_set_back_until_it_is_right_again() {
    let mut machine = settled_machine();
    machine.set_error_ms(-3 * HOUR_MS);
    machine.run(DAY * 30, HOUR);
    assert_eq!(standing(&machine), WallStanding::SetBack { behind: HOUR * 3 });
    machine.set_error_ms(0);
    assert_eq!(standing(&machine), WallStanding::Agrees);
}

#[test]
fn a_clock_that_jumped_ahead_and_was_set_right_is_told_apart_and_settles_in_a_day() {
    let mut machine = settled_machine();
    machine.set_error_ms(3 * HOUR_MS);
    machine.run(HOUR * 20, MINUTE * 10);
    assert_eq!(standing(&machine), WallStanding::Agrees, "the mark followed");
    machine.set_error_ms(0);
    let corrected = |settled| WallStanding::Corrected { behind: HOUR * 3, settled };
    assert_eq!(standing(&machine), corrected(false));
    machine.restart_agent(MINUTE);
    machine.run(HOUR * 23, MINUTE * 10);
    assert_eq!(standing(&machine), corrected(false));
    machine.run(HOUR, MINUTE * 10);
    assert_eq!(standing(&machine), corrected(true));
    machine.run(DAY * 60, HOUR);
    assert_eq!(standing(&machine), corrected(true), "for good");
}

#[test]
fn further_back_than_it_had_jumped_is_set_back() {
    let mut machine = settled_machine();
    machine.set_error_ms(3 * HOUR_MS);
    machine.set_error_ms(-HOUR_MS);
    assert_eq!(standing(&machine), WallStanding::SetBack { behind: HOUR * 4 });
    machine.set_error_ms(0);
    assert!(matches!(standing(&machine), WallStanding::Corrected { .. }));
}

#[test]
fn what_is_settled_is_unsettled_by_the_next_step_at_once() {
    let mut machine = settled_machine();
    machine.set_error_ms(3 * HOUR_MS);
    machine.set_error_ms(0);
    machine.run(DAY, HOUR);
    assert!(matches!(standing(&machine), WallStanding::Corrected { settled: true, .. }));
    // Nobody has observed this reading yet.
    let (clock, mut reading) = machine.clocks();
    reading.wall = reading.wall + HOUR;
    let seen = clock.wall_standing(&reading, NO_FLOOR);
    assert_eq!(seen, WallStanding::Corrected { behind: HOUR * 2, settled: false });
}

#[test]
fn the_time_a_machine_is_off_brings_the_wall_back_to_the_mark() {
    let mut machine = settled_machine();
    machine.set_error_ms(3 * HOUR_MS);
    machine.set_error_ms(0);
    machine.save();
    machine.reboot(HOUR * 2, 0);
    assert!(matches!(standing(&machine), WallStanding::Corrected { behind, .. } if behind == HOUR));
    machine.reboot(HOUR, 0);
    assert_eq!(standing(&machine), WallStanding::Agrees);
}

#[test]
fn a_clock_that_comes_back_wrong_from_a_boot_and_is_set_right_is_corrected() {
    let mut machine = settled_machine();
    // The hardware clock keeps local time; synchronization corrects it within the minute.
    machine.reboot(MINUTE, 2 * HOUR_MS);
    machine.run(MINUTE, MINUTE);
    machine.set_error_ms(0);
    let behind = HOUR * 2;
    assert_eq!(standing(&machine), WallStanding::Corrected { behind, settled: false });
}

#[test]
fn a_first_wall_in_a_wrong_year_is_corrected_and_one_that_has_held_for_a_week_is_believed() {
    let mut machine = Machine::start(begin(), 10 * 365 * DAY_MS);
    machine.run(DAY * 2, HOUR);
    machine.set_error_ms(0);
    assert!(matches!(standing(&machine), WallStanding::Corrected { .. }));
    let mut machine = Machine::start(begin(), 10 * 365 * DAY_MS);
    machine.run(DAY * 8, HOUR);
    machine.set_error_ms(0);
    assert!(matches!(standing(&machine), WallStanding::SetBack { .. }));
}

#[test]
fn the_kernel_says_which_of_the_two_is_right() {
    let mut machine = settled_machine();
    machine.set_error_ms(3 * HOUR_MS);
    machine.run(DAY * 30, HOUR);
    machine.set_error_ms(0);
    assert!(matches!(standing(&machine), WallStanding::SetBack { .. }), "nobody remembers");
    machine.hear_kernel();
    assert!(matches!(standing(&machine), WallStanding::Corrected { settled: true, .. }));
    // And where it agrees with the mark, a wall behind it has been set back.
    let mut machine = Machine::start(begin(), 0);
    machine.hear_kernel();
    machine.set_error_ms(-HOUR_MS);
    assert_eq!(standing(&machine), WallStanding::SetBack { behind: HOUR });
}

#[test]
fn a_wall_before_a_signed_date_is_wrong_whatever_the_mark_says() {
    let machine = settled_machine();
    let (clock, reading) = machine.clocks();
    let floor = reading.wall + HOUR;
    assert_eq!(clock.wall_standing(&reading, floor), WallStanding::BeforeSigned { by: HOUR });
    let near = reading.wall + MINUTE * 5;
    assert_eq!(clock.wall_standing(&reading, near), WallStanding::Agrees);
}

#[test]
fn a_wall_ahead_is_followed_or_on_probation() {
    let clock = ClockState::start(&reading(begin(), HOUR, 1));
    let at = |ahead: Duration| clock.wall_standing(&reading(begin() + ahead, HOUR, 1), NO_FLOOR);
    assert_eq!(at(MINUTE * 5), WallStanding::Agrees);
    assert_eq!(at(DAY), WallStanding::Ahead { by: DAY });
    assert_eq!(at(DAY * 2), WallStanding::OnProbation { by: DAY * 2 });
}

#[test]
fn a_state_written_before_jumps_were_kept_is_read_and_says_set_back() {
    let written = serde_json::json!({
        "mark": begin(),
        "seen": {"wall": begin(), "boottime_ms": 0, "boot_id": vec![1; 16]},
    });
    let clock: ClockState = serde_json::from_value(written).unwrap();
    let behind = clock.wall_standing(&reading(begin() - HOUR, Duration::ZERO, 1), NO_FLOOR);
    assert_eq!(behind, WallStanding::SetBack { behind: HOUR });
}

proptest! {
    /// What is said agrees with the clocks it is said of, whatever happened to them.
    #[test]
    fn what_is_said_is_true_of_the_clocks(
        steps in prop::collection::vec((-40 * HOUR_MS..40 * HOUR_MS, 0_u64..40, any::<bool>()), 1..12)
    ) {
        let mut machine = Machine::start(begin(), 0);
        for (error_ms, hours, off) in steps {
            match off {
                true => machine.reboot(HOUR * u32::try_from(hours).unwrap(), error_ms),
                false => machine.set_error_ms(error_ms),
            }
            machine.run(HOUR * u32::try_from(hours).unwrap(), MINUTE * 30);
            let now = machine.now(NO_FLOOR);
            let (behind, ahead) = (
                now.mark.saturating_since(now.wall),
                now.wall.saturating_since(now.mark),
            );
            match standing(&machine) {
                WallStanding::Agrees => prop_assert!(behind.max(ahead) <= MINUTE * 5),
                WallStanding::SetBack { behind: said } | WallStanding::Corrected { behind: said, .. } => {
                    prop_assert_eq!(said, behind);
                    prop_assert!(said > MINUTE * 5);
                }
                WallStanding::Ahead { .. } => prop_assert!(false, "what was observed is followed"),
                WallStanding::AfterOff { by } => {
                    prop_assert_eq!(by, ahead);
                    prop_assert_eq!(now.quota, now.wall);
                }
                WallStanding::OnProbation { by } => {
                    prop_assert_eq!(by, ahead);
                    prop_assert!(now.quota < now.wall || by > DAY * 5);
                }
                WallStanding::BeforeSigned { .. } => prop_assert!(false, "nothing is signed"),
            }
        }
    }
}
