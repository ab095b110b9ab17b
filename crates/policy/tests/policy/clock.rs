//! Claims about time when the machine's clock is wrong, by accident or on purpose.

use std::time::Duration;

use farhold_contract::Timestamp;
use farhold_policy::{ClockChange, ClockState};

use crate::{reference::Machine, support::*};

const MINUTE: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const YEAR_MS: i64 = 365 * DAY_MS;

const NO_FLOOR: Timestamp = Timestamp::MIN;

fn begin() -> Timestamp {
    at("2027-06-01T00:00:00Z")
}

fn right_machine() -> Machine {
    Machine::start(begin(), 0)
}

#[test]
fn the_mark_begins_at_the_first_wall_and_rises_with_uptime() {
    let mut clock = ClockState::start(&reading(begin(), HOUR, 1));
    assert_eq!(clock.mark(), begin());
    // The wall stands still; the machine does not.
    assert!(matches!(
        clock.observe(&reading(begin(), HOUR * 3, 1), None),
        ClockChange::Stepped { by_ms } if by_ms == -2 * HOUR_MS
    ));
    assert_eq!(clock.mark(), begin() + HOUR * 2);
    let now = clock.now(&reading(begin(), HOUR * 4, 1), NO_FLOOR);
    assert_eq!((now.instant, now.quota), (begin() + HOUR * 3, begin() + HOUR * 3));
}

#[test]
fn uptime_of_another_boot_is_not_added() {
    let mut clock = ClockState::start(&reading(begin(), HOUR, 1));
    // The state directory came to a host that has been up for a year.
    clock.observe(&reading(begin() + MINUTE, DAY * 365, 2), None);
    assert_eq!(clock.mark(), begin() + MINUTE);
}

#[test]
fn now_is_the_latest_of_wall_mark_and_floor() {
    let clock = ClockState::start(&reading(begin(), HOUR, 1));
    let later = begin() + DAY * 3650;
    let now = clock.now(&reading(later, HOUR, 1), NO_FLOOR);
    assert_eq!((now.instant, now.quota), (later, begin() + DAY));
    let now = clock.now(&reading(begin() - DAY * 30, HOUR, 1), NO_FLOOR);
    assert_eq!((now.instant, now.quota), (begin(), begin()));
    let now = clock.now(&reading(begin(), HOUR, 1), begin() + DAY * 2);
    assert_eq!((now.instant, now.quota), (begin() + DAY * 2, begin()));
}

#[test]
fn a_wall_up_to_a_day_ahead_is_adopted_at_once() {
    let mut machine = right_machine();
    machine.set_error_ms(DAY_MS);
    assert_eq!(machine.mark(), begin() + DAY);
    let mut machine = right_machine();
    machine.set_error_ms(DAY_MS + 1);
    assert_eq!(machine.mark(), begin());
    assert!(matches!(machine.noticed()[..], [ClockChange::LeadSeen { .. }]));
}

#[test]
fn a_greater_lead_is_adopted_after_a_day_of_uptime_without_another_step() {
    let mut machine = right_machine();
    machine.set_error_ms(30 * DAY_MS);
    machine.run(DAY - MINUTE, MINUTE);
    assert_eq!(machine.mark(), machine.truth());
    machine.noticed();
    machine.run(MINUTE, MINUTE);
    assert_eq!(machine.mark(), machine.truth() + DAY * 30);
    assert!(
        matches!(machine.noticed()[..], [ClockChange::LeadAdopted { lead }] if lead == DAY * 30)
    );
}

#[test]
fn another_step_begins_the_probation_anew() {
    let mut machine = right_machine();
    machine.set_error_ms(30 * DAY_MS);
    machine.run(HOUR * 23, MINUTE);
    machine.set_error_ms(31 * DAY_MS);
    machine.run(HOUR * 23, MINUTE);
    assert_eq!(machine.mark(), machine.truth());
    machine.run(HOUR, MINUTE);
    assert_eq!(machine.mark(), machine.truth() + DAY * 31);
}

#[test]
fn a_restarted_agent_goes_on_with_the_probation() {
    let mut machine = right_machine();
    machine.set_error_ms(30 * DAY_MS);
    machine.run(HOUR * 20, MINUTE);
    machine.restart_agent(HOUR * 5);
    assert_eq!(machine.mark(), machine.truth() + DAY * 30);
}

#[test]
fn a_machine_used_by_day_outgrows_its_lead_too() {
    let mut machine = right_machine();
    // Three weeks off, then eight hours a day.
    machine.reboot(DAY * 21, 0);
    for _ in 0..3 {
        assert!(machine.mark() < machine.truth() - DAY);
        machine.run(HOUR * 8, MINUTE);
        machine.reboot(HOUR * 16, 0);
    }
    machine.run(MINUTE, MINUTE);
    assert_eq!(machine.mark(), machine.truth());
}

#[test]
fn quotas_turn_every_day_on_a_machine_that_is_off_at_weekends() {
    let mut machine = right_machine();
    for hours_a_day in [8, 1] {
        for day in 0..4 * 7 {
            let now = machine.now(NO_FLOOR);
            assert_eq!(now.quota, machine.truth(), "day {day}, {hours_a_day} hours a day");
            assert!(!now.is_on_probation());
            machine.run(HOUR * hours_a_day, MINUTE);
            let nights = if day % 7 == 4 { 3 } else { 1 };
            machine.reboot(DAY * nights - HOUR * hours_a_day, 0);
        }
    }
}

#[test]
fn after_longer_off_quotas_turn_once_a_day_until_the_wall_is_believed() {
    let mut machine = right_machine();
    machine.reboot(DAY * 21, 0);
    let mut quota = machine.now(NO_FLOOR).quota;
    assert_eq!(quota, begin() + DAY * 4);
    assert!(machine.now(NO_FLOOR).is_on_probation());
    for _ in 0..20 {
        machine.run(HOUR, MINUTE);
        machine.reboot(HOUR * 23, 0);
        quota = quota + DAY;
        assert_eq!(machine.now(NO_FLOOR).quota, quota);
    }
    machine.run(HOUR * 5, MINUTE);
    assert_eq!(machine.now(NO_FLOOR).quota, machine.truth());
}

#[test]
fn a_wall_set_ahead_takes_quotas_a_day_ahead_and_back_with_it() {
    let mut machine = right_machine();
    machine.set_error_ms(30 * DAY_MS);
    machine.run(HOUR * 20, MINUTE);
    assert_eq!(machine.now(NO_FLOOR).quota, machine.truth() + DAY);
    machine.set_error_ms(0);
    assert_eq!(machine.now(NO_FLOOR).quota, machine.truth());
}

#[test]
fn a_state_of_before_quota_time_was_kept_goes_on_as_it_was() {
    let mut machine = right_machine();
    machine.run(HOUR, MINUTE);
    let mut old = serde_json::to_value(machine.clocks().0).unwrap();
    old.as_object_mut().unwrap().remove("quota").unwrap();
    let old: ClockState = serde_json::from_value(old).unwrap();
    let (_, reading) = machine.clocks();
    assert_eq!(old.now(&reading, NO_FLOOR), machine.now(NO_FLOOR));
}

#[test]
fn the_kernels_time_vouches_for_a_lead() {
    let mut machine = right_machine();
    machine.reboot(DAY * 90, 0);
    assert_eq!(machine.mark(), begin());
    machine.hear_kernel();
    assert_eq!(machine.mark(), begin() + DAY * 90);
    let mut machine = right_machine();
    machine.set_error_ms(30 * DAY_MS);
    machine.hear_kernel();
    assert_eq!(machine.mark(), begin());
}

#[test]
fn the_kernels_time_lowers_a_mark_too_far_ahead() {
    let mut machine = right_machine();
    machine.set_error_ms(10 * YEAR_MS);
    machine.run(DAY * 2, HOUR);
    machine.set_error_ms(0);
    assert_eq!(machine.mark(), machine.truth() + DAY * 3650);
    machine.noticed();
    machine.hear_kernel();
    assert_eq!(machine.mark(), machine.truth());
    assert!(matches!(machine.noticed()[..], [ClockChange::Lowered { .. }]));
    assert_eq!(machine.now(NO_FLOOR).instant, machine.truth());
}

#[test]
fn a_wall_still_wrong_when_the_kernel_lowers_the_mark_is_on_probation_and_turns_no_quotas() {
    let mut machine = right_machine();
    machine.set_error_ms(365 * DAY_MS);
    machine.run(DAY, MINUTE);
    assert_eq!(machine.now(NO_FLOOR).quota, machine.truth() + DAY * 365);
    machine.hear_kernel();
    let now = machine.now(NO_FLOOR);
    assert_eq!((now.mark, now.quota), (machine.truth(), machine.truth() + DAY));
    assert!(now.is_on_probation());
    machine.run(HOUR, MINUTE);
    assert_eq!(machine.now(NO_FLOOR).quota, machine.truth() + DAY);
}

#[test]
fn the_kernels_time_leaves_a_mark_within_a_day_alone() {
    let mut machine = right_machine();
    machine.set_error_ms(23 * HOUR_MS);
    machine.set_error_ms(0);
    machine.hear_kernel();
    assert_eq!(machine.mark(), begin() + HOUR * 23);
}

#[test]
fn a_clock_reset_sets_the_mark() {
    let mut clock = ClockState::start(&reading(begin() + DAY * 3650, HOUR, 1));
    let corrected = reading(begin(), HOUR * 2, 1);
    assert!(clock.now(&corrected, NO_FLOOR).instant > begin() + DAY * 3650);
    clock.reset_to(begin(), &corrected);
    assert_eq!(clock.now(&corrected, NO_FLOOR).instant, begin());
    clock.observe(&reading(begin() + HOUR, HOUR * 3, 1), None);
    assert_eq!(clock.mark(), begin() + HOUR);
}

#[test]
fn back_by_anything_gains_nothing() {
    for back_ms in [1_000, HOUR_MS, 23 * HOUR_MS, 25 * HOUR_MS, 30 * DAY_MS] {
        let mut machine = right_machine();
        machine.run(HOUR, MINUTE);
        machine.set_error_ms(-back_ms);
        machine.run(DAY * 2, MINUTE);
        assert_eq!(machine.now(NO_FLOOR).instant, machine.truth(), "{back_ms}");
    }
}

#[test]
fn more_than_a_day_back_is_noticed_once() {
    let mut machine = right_machine();
    machine.set_error_ms(-DAY_MS);
    assert!(!machine.now(NO_FLOOR).is_rolled_back());
    assert!(matches!(machine.noticed()[..], [ClockChange::Stepped { .. }]));
    machine.set_error_ms(-DAY_MS - 1);
    assert!(machine.now(NO_FLOOR).is_rolled_back());
    machine.run(DAY, HOUR);
    assert!(matches!(machine.noticed()[..], [ClockChange::RolledBack { .. }]));
    machine.set_error_ms(0);
    assert!(!machine.now(NO_FLOOR).is_rolled_back());
}

#[test]
fn a_sawtooth_of_an_hour_back_every_hour_gains_nothing() {
    let mut machine = right_machine();
    for _ in 0..24 * 30 {
        machine.run(HOUR, MINUTE * 10);
        machine.set_error_ms(machine.error_ms() - HOUR_MS);
    }
    assert_eq!(machine.now(NO_FLOOR).instant, begin() + DAY * 30);
}

#[test]
fn forward_and_back_within_a_day_moves_time_by_no_more_than_a_day() {
    let mut machine = right_machine();
    for _ in 0..30 {
        machine.set_error_ms(23 * HOUR_MS);
        machine.run(HOUR, MINUTE * 10);
        machine.set_error_ms(0);
        machine.run(HOUR, MINUTE * 10);
    }
    assert_eq!(machine.now(NO_FLOOR).instant, machine.truth() + HOUR * 23);
}

#[test]
fn ten_years_forward_then_corrected_leaves_no_trace() {
    let mut machine = right_machine();
    machine.set_error_ms(10 * YEAR_MS);
    assert_eq!(machine.now(NO_FLOOR).instant, machine.truth() + DAY * 3650);
    machine.run(HOUR * 23, MINUTE);
    machine.set_error_ms(0);
    assert_eq!(machine.now(NO_FLOOR).instant, machine.truth());
    machine.run(DAY * 3, MINUTE * 10);
    assert_eq!(machine.mark(), machine.truth());
}

#[test]
fn thirty_boots_in_a_wrong_year_then_corrected_leave_no_trace() {
    // The battery is dead: each boot begins at the same moment, far from the truth.
    let wrong = at("2099-01-01T00:00:00Z").as_ms();
    let mut machine = right_machine();
    for _ in 0..30 {
        let off = HOUR * 2;
        let error_ms = wrong - (machine.truth() + off).as_ms();
        machine.reboot(off, error_ms);
        machine.run(HOUR, MINUTE);
    }
    machine.set_error_ms(0);
    assert_eq!(machine.now(NO_FLOOR).instant, machine.truth());
}

#[test]
fn thirty_boots_in_1970_cost_only_the_time_the_machine_was_off() {
    let mut machine = right_machine();
    for _ in 0..30 {
        let off = MINUTE * 10;
        machine.reboot(off, -(machine.truth() + off).as_ms());
        machine.run(HOUR, MINUTE);
    }
    assert!(machine.now(NO_FLOOR).is_rolled_back());
    assert_eq!(machine.now(NO_FLOOR).instant, begin() + HOUR * 30);
}

#[test]
fn a_first_boot_in_1970_is_held_up_by_the_floor_and_then_corrected() {
    let mut machine = Machine::start(begin(), -begin().as_ms());
    let floor = begin() - DAY * 30;
    assert_eq!(machine.now(floor).instant, floor);
    machine.set_error_ms(0);
    assert_eq!(machine.now(floor).instant, begin());
    machine.run(DAY, MINUTE);
    assert_eq!(machine.mark(), machine.truth());
    assert!(!machine.now(floor).is_rolled_back());
}

#[test]
fn suspended_time_counts() {
    let mut machine = right_machine();
    machine.set_error_ms(-2 * HOUR_MS);
    machine.run(HOUR * 60, HOUR * 60);
    assert_eq!(machine.now(NO_FLOOR).instant, begin() + HOUR * 60);
}

#[test]
fn a_restored_snapshot_of_the_machine_does_not_lower_the_mark() {
    let mut clock = ClockState::start(&reading(begin(), HOUR, 1));
    clock.observe(&reading(begin() + HOUR * 9, HOUR * 10, 1), None);
    clock.observe(&reading(begin() + HOUR, HOUR * 2, 1), None);
    assert_eq!(clock.mark(), begin() + HOUR * 9);
    clock.observe(&reading(begin() + HOUR * 2, HOUR * 3, 1), None);
    assert_eq!(clock.mark(), begin() + HOUR * 10);
}

#[test]
fn the_last_year_does_not_overflow() {
    let end = ClockState::start(&reading(Timestamp::MAX, HOUR, 1));
    let mut clock = end.clone();
    clock.observe(&reading(Timestamp::MIN, DAY, 1), None);
    let now = clock.now(&reading(Timestamp::MAX, DAY, 1), Timestamp::MAX);
    assert_eq!((now.instant, now.quota), (Timestamp::MAX, Timestamp::MAX));
}

#[test]
fn a_boot_far_ahead_of_a_lead_begins_its_own_probation() {
    let mut machine = right_machine();
    machine.set_error_ms(30 * DAY_MS);
    machine.run(HOUR * 23, MINUTE);
    machine.reboot(MINUTE, 70 * YEAR_MS);
    machine.run(HOUR * 23, MINUTE);
    machine.set_error_ms(0);
    assert!(machine.now(NO_FLOOR).instant <= machine.truth());
}
