//! The three properties of `bundle.md` §5, under any clock settings, restarts and suspends.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::select};

use farhold_bundle::payload::{Entitlement, License, LicenseLimits};
use farhold_contract::Timestamp;
use farhold_policy::{Link, PolicyState, Question, Resolution, Restraints, Timeline};

use crate::{
    reference::{Ledger, Machine, turns},
    support::*,
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * DAY_MS;

/// Something that happens to a machine. An error is what the wall then shows beyond the truth.
#[derive(Debug, Clone)]
enum Happening {
    Run { minutes: u64, steps: u32 },
    Suspend { minutes: u64 },
    SetWall { error_ms: i64 },
    Nudge { by_ms: i64 },
    RestartAgent { down_minutes: u64 },
    Reboot { unsaved_s: u64, off_minutes: u64, error_ms: i64 },
}

fn happenings(
    error: &BoxedStrategy<i64>,
    nudge: Option<BoxedStrategy<i64>>,
) -> BoxedStrategy<Vec<Happening>> {
    let set = error.clone().prop_map(|error_ms| Happening::SetWall { error_ms });
    let nudges = match nudge {
        Some(nudge) => nudge.prop_map(|by_ms| Happening::Nudge { by_ms }).boxed(),
        None => set.clone().boxed(),
    };
    let one = prop_oneof![
        3 => (1_u64..4_000, 1_u32..30).prop_map(|(minutes, steps)| Happening::Run { minutes, steps }),
        1 => (1_u64..6_000).prop_map(|minutes| Happening::Suspend { minutes }),
        3 => set,
        3 => nudges,
        1 => (0_u64..3_000).prop_map(|down_minutes| Happening::RestartAgent { down_minutes }),
        2 => (0_u64..=60, 0_u64..9_000, error.clone()).prop_map(
            |(unsaved_s, off_minutes, error_ms)| {
                Happening::Reboot { unsaved_s, off_minutes, error_ms }
            },
        ),
    ];
    vec(one, 1..40).boxed()
}

/// Wrong by hours, days, or decades, either way.
fn any_error() -> BoxedStrategy<i64> {
    prop_oneof![
        Just(0),
        -25 * HOUR_MS..25 * HOUR_MS,
        -40 * DAY_MS..40 * DAY_MS,
        -60 * YEAR_MS..60 * YEAR_MS,
        select(vec![-DAY_MS - 1, -DAY_MS, DAY_MS, DAY_MS + 1, 10 * YEAR_MS]),
    ]
    .boxed()
}

fn small_error() -> BoxedStrategy<i64> {
    prop_oneof![
        1 - DAY_MS..DAY_MS,
        select(vec![1 - DAY_MS, DAY_MS - 1, 23 * HOUR_MS, -23 * HOUR_MS]),
    ]
    .boxed()
}

/// Any setting of the wall, and small pushes on top: ratchets and sawtooths.
fn any_happenings() -> BoxedStrategy<Vec<Happening>> {
    let nudge = prop_oneof![
        select(vec![-HOUR_MS, HOUR_MS, 23 * HOUR_MS, -23 * HOUR_MS, DAY_MS, 5 * DAY_MS]),
        -30 * HOUR_MS..30 * HOUR_MS,
    ];
    happenings(&any_error(), Some(nudge.boxed()))
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

fn happen(machine: &mut Machine, happening: &Happening) {
    match *happening {
        Happening::Run { minutes: count, steps } => {
            machine.run(minutes(count), minutes(count) / steps);
        }
        Happening::Suspend { minutes: count } => machine.run(minutes(count), minutes(count)),
        Happening::SetWall { error_ms } => machine.set_error_ms(error_ms),
        Happening::Nudge { by_ms } => machine.set_error_ms(machine.error_ms() + by_ms),
        Happening::RestartAgent { down_minutes } => machine.restart_agent(minutes(down_minutes)),
        Happening::Reboot { unsaved_s, off_minutes, error_ms } => {
            machine.run_unsaved(Duration::from_secs(unsaved_s));
            machine.reboot(minutes(off_minutes), error_ms);
        }
    }
}

fn begin() -> Timestamp {
    at("2027-01-01T00:00:00Z")
}

fn resolve(state: &PolicyState, now: &farhold_policy::Now) -> Resolution {
    let runtime = runtime();
    let question =
        Question { tenant_id: tenant(1), runtime: &runtime, feature: "lab", consume: None };
    state.resolve(&question, &Restraints::default(), now, Link::Detached)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn now_never_falls_behind_running_time_by_more_than_a_minute_a_reboot(
        first_error in any_error(),
        story in any_happenings(),
    ) {
        let mut machine = Machine::start(begin(), first_error);
        for happening in &story {
            happen(&mut machine, happening);
            let owed = machine.first_wall_and_running() - minutes(machine.reboots());
            let now = machine.now(Timestamp::MIN);
            prop_assert!(now.instant >= owed, "{} < {owed} after {happening:?}", now.instant);
            prop_assert!(now.quota <= now.instant && now.mark <= now.instant);
        }
    }

    #[test]
    fn a_clock_wrong_by_less_than_a_day_never_refuses_and_ends_nothing_a_day_early(
        first_error in small_error(),
        starts_hours in 0_u32..24 * 20,
        story in happenings(&small_error(), None),
    ) {
        let held = License {
            issued_at: begin(),
            not_before: begin(),
            expires_on: Some(day("2027-02-28")),
            ..license(1)
        };
        let state = state(std::slice::from_ref(&held));
        let end = Timeline::of_license(&held).ends.unwrap();
        let mut machine = Machine::start(begin() + HOUR * starts_hours, first_error);
        for happening in &story {
            happen(&mut machine, happening);
            let now = machine.now(held.issued_at);
            prop_assert!(now.instant < machine.truth() + DAY);
            if machine.truth() + DAY <= end {
                let resolution = resolve(&state, &now);
                prop_assert!(matches!(resolution, Resolution::Granted(_)), "{resolution:?}");
            }
        }
    }

    #[test]
    fn windowed_use_never_exceeds_windows_times_quota(
        period in select(vec!["P1D", "P1M", "PT6H", "P3D", "P1DT12H"]),
        (zone, end_hours, window_hours) in select(vec![
            (None, -12, 0), (Some("Asia/Tokyo"), 9, 9), (Some("Etc/GMT+5"), -5, -5),
        ]),
        (quota, overage) in (1_u64..6, 0_u64..3),
        (grace_days, restrict_days) in (0_i64..4, 0_i64..4),
        first_error in any_error(),
        story in any_happenings(),
        takes in vec((1_u64..4, 0_usize..8), 60),
    ) {
        let rung = |days: i64| (days > 0).then(|| format!("P{days}D").parse().unwrap());
        let held = License {
            issued_at: begin(),
            not_before: at("2027-01-01T07:30:00Z"),
            expires_on: Some(day("2027-01-20")),
            time_zone: zone.map(str::to_owned),
            ladder: farhold_bundle::payload::Ladder {
                warn: None,
                grace: rung(grace_days),
                restrict: rung(restrict_days),
            },
            entitlements: vec![Entitlement {
                limits: LicenseLimits {
                    overage: farhold_bundle::Positive::new(overage),
                    ..metered("lab", quota, Some(period)).limits
                },
                ..entitlement("lab")
            }],
            ..license(1)
        };
        let state = state(std::slice::from_ref(&held));
        let end_ms = at("2027-01-21T00:00:00Z").as_ms() - end_hours * HOUR_MS;
        let renews_until = Timestamp::from_ms(end_ms + grace_days * DAY_MS);
        let turns = turns(period, held.not_before, renews_until, window_hours);
        let mut ledger = Ledger::new(turns, renews_until, quota + overage);
        let mut counters = Counters::default();
        let mut taken = 0;
        let mut machine = Machine::start(begin(), first_error);
        let mut takes = takes.iter().cycle();
        for happening in &story {
            happen(&mut machine, happening);
            let now = machine.now(held.issued_at);
            for _ in 0..takes.next().unwrap().1 {
                let (units, _) = *takes.next().unwrap();
                let Resolution::Granted(grant) = resolve(&state, &now) else { continue };
                let decision = counters.decide(&grant, Some(units));
                let expected = ledger.take(now.quota, units);
                prop_assert_eq!(decision.allowed, expected, "{:?}", now);
                if decision.allowed {
                    taken += units;
                }
            }
        }
        prop_assert_eq!(taken, ledger.total());
        prop_assert!(taken <= ledger.windows() * (quota + overage));
    }
}
