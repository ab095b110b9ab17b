//! Windows lie where a walk along the calendar finds them.

use proptest::{prelude::*, sample::select};

use farhold_bundle::payload::License;
use farhold_contract::Timestamp;
use farhold_policy::Window;

use crate::{
    reference::{local_day_bounds, month_turns, turns},
    support::*,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_day_begins_and_ends_where_the_local_date_changes(
        zone in select(vec![
            "America/Sao_Paulo", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu",
            "America/New_York", "Africa/Cairo", "Pacific/Apia",
        ]),
        minutes in 0_i64..20 * 366 * 1_440,
    ) {
        let license = License {
            time_zone: Some(zone.to_owned()),
            not_before: at("2005-01-01T00:00:00Z"),
            ..license(1)
        };
        let when = Timestamp::from_ms(at("2010-01-01T00:00:00Z").as_ms() + minutes * 60_000);
        let (start, end) = Window::of(&license, &"P1D".parse().unwrap()).span_at(when);
        let expected = local_day_bounds(when, &license.window_zone());
        prop_assert_eq!((start.as_ms(), end.as_ms()), expected);
    }

    #[test]
    fn windows_of_several_months_are_multiples_from_the_beginning(
        (period, months) in select(vec![("P2M", 2), ("P3M", 3), ("P1Y6M", 18), ("P5Y", 60)]),
        begins_minutes in 0_i64..525_600,
        after_ms in 0_i64..40 * 366 * 86_400_000,
        on_the_turn in proptest::bool::ANY,
    ) {
        let begins = Timestamp::from_ms(at("2027-01-01T00:00:00Z").as_ms() + begins_minutes * 60_000);
        let license =
            License { not_before: begins, expires_on: Some(day("2099-12-31")), ..license(1) };
        let window = Window::of(&license, &period.parse().unwrap());
        let mut when = begins.as_ms() + after_ms;
        let turns = month_turns(begins, months, when + 1);
        let number = turns.len() - 2;
        if on_the_turn {
            when = turns[number];
        }
        let (start, end) = window.span_at(Timestamp::from_ms(when));
        prop_assert_eq!((start.as_ms(), end.as_ms()), (turns[number], turns[number + 1]));
    }

    #[test]
    fn every_instant_lies_in_the_window_that_a_walk_finds(
        period in select(vec!["P1D", "P1M", "P1Y", "PT6H", "P3D", "P1DT12H"]),
        (zone, zone_hours) in select(vec![
            (None, 0), (Some("Asia/Tokyo"), 9), (Some("Etc/GMT+5"), -5),
        ]),
        begins_minutes in 0_i64..525_600,
        after_ms in 0_i64..400 * 86_400_000,
    ) {
        let begins = Timestamp::from_ms(at("2027-01-01T00:00:00Z").as_ms() + begins_minutes * 60_000);
        let license = License {
            time_zone: zone.map(str::to_owned),
            not_before: begins,
            expires_on: Some(day("2031-12-31")),
            ..license(1)
        };
        let window = Window::of(&license, &period.parse().unwrap());
        let when = Timestamp::from_ms(begins.as_ms() + after_ms);
        let past = Timestamp::from_ms(when.as_ms() + 1);
        let turns = turns(period, begins, past, zone_hours);
        let number = turns.iter().filter(|&&turn| turn <= when.as_ms()).count();
        let (start, end) = window.span_at(when);
        prop_assert_eq!((start.as_ms(), end.as_ms()), (turns[number - 1], turns[number]));
        // Both edges belong to the window they begin.
        prop_assert_eq!(window.span_at(end).0, end);
        if start >= begins {
            prop_assert_eq!(window.span_at(start), (start, end));
        }
    }
}
