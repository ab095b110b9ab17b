//! Claims about clocks and documents together: lost marks, dates that are wrong, and what needs no
//! clock at all.

use farhold_bundle::{SetAside, payload::License};
use farhold_contract::{Code, Timestamp};
use farhold_policy::{
    ClockState, Link, Now, PolicyState, Question, Resolution, Restraints, RuntimeFacts,
};

use crate::{reference::Machine, support::*};

const DAY_MS: i64 = 86_400_000;
const YEAR_MS: i64 = 365 * DAY_MS;

const NO_FLOOR: Timestamp = Timestamp::MIN;

fn begin() -> Timestamp {
    at("2027-06-01T00:00:00Z")
}

fn right_machine() -> Machine {
    Machine::start(begin(), 0)
}

#[test]
fn forward_day_by_day_spends_each_window_once_and_the_license_with_them() {
    // Setting the clock a day ahead opens the next day's quota, and ends the license a day sooner:
    // nothing is won, and what was closed stays closed when the clock comes back.
    let held = License {
        not_before: begin(),
        expires_on: Some(day("2027-06-30")),
        entitlements: vec![metered("lab", 10, Some("P1D"))],
        ..license(1)
    };
    let policy = state(std::slice::from_ref(&held));
    let mut machine = right_machine();
    let mut counters = Counters::default();
    let take = |machine: &Machine, counters: &mut Counters| match answer(
        &policy,
        &machine.now(held.issued_at),
        &runtime(),
    ) {
        Resolution::Granted(grant) => counters.decide(&grant, Some(10)).allowed,
        Resolution::Refused(_) => false,
    };
    let mut windows = 0;
    for days in 0..60 {
        machine.set_error_ms(days * DAY_MS);
        windows += u32::from(take(&machine, &mut counters));
        assert!(!take(&machine, &mut counters), "a window is spent");
    }
    assert_eq!(windows, 30);
    machine.set_error_ms(0);
    machine.run(DAY * 20, HOUR);
    assert!(!take(&machine, &mut counters));
    let refusal = refused(answer(&policy, &machine.now(held.issued_at), &runtime()));
    assert_eq!(refusal.reason, Code::LicenseExpired);
}

#[test]
fn a_torn_empty_or_changed_mark_is_refused_whole_and_never_half_read() {
    let mut clock = ClockState::start(&reading(begin(), HOUR, 1));
    clock.observe(&reading(begin() + DAY * 30, HOUR, 1), None);
    let written = serde_json::to_string(&clock).unwrap();
    assert_eq!(serde_json::from_str::<ClockState>(&written).unwrap(), clock);
    for length in 0..written.len() {
        let torn = &written[..length];
        assert!(serde_json::from_str::<ClockState>(torn).is_err(), "{torn}");
    }
    let zeros = "\0".repeat(written.len());
    let without_mark = written.replace("mark", "park");
    let no_date = written.replace("2027", "0000");
    for changed in [zeros, without_mark, no_date, "{}".to_owned(), "null".to_owned()] {
        assert!(serde_json::from_str::<ClockState>(&changed).is_err(), "{changed}");
    }
}

#[test]
fn a_lost_mark_begins_again_at_the_wall_and_the_floor_holds_it_up() {
    let policy = state(&[license(1)]);
    let floor = license(1).issued_at;
    let mut machine = right_machine();
    machine.run(DAY * 60, HOUR);
    machine.lose_the_mark();
    assert_eq!(machine.mark(), machine.truth());
    // Lost, and the clock set back besides: no further than the vendor's last signed date.
    machine.set_error_ms(-10 * YEAR_MS);
    machine.lose_the_mark();
    assert_eq!(machine.now(floor).instant, floor);
    let refusal = refused(answer(&policy, &machine.now(floor), &runtime()));
    assert_eq!(refusal.reason, Code::LicenseNotBegun);
    machine.set_error_ms(0);
    assert!(matches!(answer(&policy, &machine.now(floor), &runtime()), Resolution::Granted(_)));
}

#[test]
fn a_mark_changed_to_the_last_year_is_lowered_by_the_kernel_and_by_a_reset() {
    let ahead = reading(Timestamp::MAX, HOUR, 1);
    let corrected = reading(begin(), HOUR * 2, 1);
    let mut clock = ClockState::start(&ahead);
    clock.observe(&corrected, Some(begin()));
    assert_eq!(clock.now(&corrected, NO_FLOOR).instant, begin());
    let mut clock = ClockState::start(&ahead);
    clock.reset_to(begin(), &corrected);
    assert_eq!(clock.now(&corrected, NO_FLOOR).instant, begin());
}

#[test]
fn a_future_dated_document_holds_now_up_and_leaves_no_trace_when_it_is_replaced() {
    let wrong = License {
        issued_at: at("2072-06-01T00:00:00Z"),
        expires_on: Some(day("2027-12-31")),
        ..license(1)
    };
    let mut machine = right_machine();
    let site = importing(&bare_site(), &wrong, machine.truth());
    let policy = PolicyState::new(site.licenses(), site.revocations());
    let now = machine.now(site.floor(&SetAside::new()));
    assert_eq!((now.instant, now.mark), (wrong.issued_at, machine.truth()));
    // Quota time is not the vendor's to set: no window is opened ahead.
    assert_eq!(now.quota, machine.truth());
    assert_eq!(refused(answer(&policy, &now, &runtime())).reason, Code::LicenseExpired);
    machine.run(DAY * 3, HOUR);

    let right = License { issued_at: begin() + DAY, ..license(2) };
    let site = importing(&site, &right, machine.truth());
    let policy = PolicyState::new(site.licenses(), site.revocations());
    let now = machine.now(site.floor(&SetAside::new()));
    assert_eq!(now.instant, machine.truth());
    assert_eq!(granted(answer(&policy, &now, &runtime())).serial, positive(2));
}

#[test]
fn after_a_reset_a_future_dated_document_no_longer_counts() {
    let wrong = License { issued_at: at("2072-06-01T00:00:00Z"), ..license(1) };
    let mut machine = right_machine();
    let site = importing(&bare_site(), &wrong, machine.truth());
    assert_eq!(machine.now(site.floor(&SetAside::new())).instant, wrong.issued_at);
    machine.reset(machine.truth());
    let floor = site.floor(&site.dated_after(machine.truth()));
    assert_eq!(machine.now(floor).instant, machine.truth());
}

/// Clocks as wrong as they come: right, never set, a battery's year, the last year.
const WALLS: [&str; 4] = [
    "2027-06-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "2099-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
];

#[test]
fn what_was_released_before_the_day_needs_no_clock() {
    let kept = License { released_before: Some(day("2027-07-01")), ..license(1) };
    let kept = License { issued_at: kept.not_before, ..kept };
    let early = RuntimeFacts { released_on: Some(day("2027-06-30")), ..runtime() };
    let late = RuntimeFacts { released_on: Some(day("2027-07-01")), ..runtime() };
    let endless = License { expires_on: None, ..kept.clone() };
    for held in [kept, endless] {
        let policy = state(std::slice::from_ref(&held));
        for wall in WALLS {
            let machine = Machine::start(at(wall), 0);
            let now = machine.now(held.issued_at);
            let grant = granted(answer(&policy, &now, &early));
            assert_eq!(grant.valid_until, None, "{wall}");
        }
        // The others are judged by the time, or not covered at all.
        let now = Machine::start(at("2099-01-01T00:00:00Z"), 0).now(held.issued_at);
        assert!(matches!(answer(&policy, &now, &late), Resolution::Refused(_)));
    }
}

#[test]
fn which_versions_are_covered_needs_no_clock() {
    let held = License {
        versions: Some("^2.1".parse().unwrap()),
        expires_on: None,
        released_before: Some(day("2027-07-01")),
        ..license(1)
    };
    let held = License { issued_at: held.not_before, ..held };
    let policy = state(std::slice::from_ref(&held));
    let of = |version: &str| RuntimeFacts {
        version: version.to_owned(),
        released_on: Some(day("2027-01-31")),
        ..runtime()
    };
    for wall in WALLS {
        let mut machine = Machine::start(at(wall), 0);
        for _ in 0..3 {
            let now = machine.now(held.issued_at);
            for covered in ["2.1.0", "2.9.4"] {
                granted(answer(&policy, &now, &of(covered)));
            }
            for other in ["2.0.9", "3.0.0", "2.1.0-rc.1", "nightly"] {
                let refusal = refused(answer(&policy, &now, &of(other)));
                assert_eq!(refusal.reason, Code::LicenseVersion, "{other} at {wall}");
            }
            machine.reboot(HOUR, 0);
        }
    }
}

fn answer(policy: &PolicyState, now: &Now, runtime: &RuntimeFacts) -> Resolution {
    let question = Question { tenant_id: tenant(1), runtime, feature: "lab", consume: None };
    policy.resolve(&question, &Restraints::default(), now, Link::Detached)
}
