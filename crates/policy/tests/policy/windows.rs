//! Claims about where windows turn.

use farhold_bundle::payload::License;
use farhold_policy::Window;

use crate::support::*;

fn window(license: &License, period: &str) -> Window {
    Window::of(license, &period.parse().unwrap())
}

fn assert_spans(window: &Window, spans: &[(&str, &str, &str)]) {
    for (when, start, end) in spans {
        assert_eq!(window.span_at(at(when)), (at(start), at(end)), "{} at {when}", window.period());
    }
}

#[test]
fn calendar_windows_turn_at_midnight_of_the_licenses_zone() {
    let sao_paulo = License { time_zone: Some("America/Sao_Paulo".to_owned()), ..license(1) };
    assert_spans(
        &window(&sao_paulo, "P1D"),
        &[
            ("2027-06-15T02:59:59.999Z", "2027-06-14T03:00:00Z", "2027-06-15T03:00:00Z"),
            ("2027-06-15T03:00:00Z", "2027-06-15T03:00:00Z", "2027-06-16T03:00:00Z"),
        ],
    );
    assert_spans(
        &window(&sao_paulo, "P1M"),
        &[("2027-07-01T02:59:59Z", "2027-06-01T03:00:00Z", "2027-07-01T03:00:00Z")],
    );
    assert_spans(
        &window(&sao_paulo, "P1Y"),
        &[("2027-07-01T00:00:00Z", "2027-01-01T03:00:00Z", "2028-01-01T03:00:00Z")],
    );
}

#[test]
fn calendar_windows_turn_in_utc_where_the_license_names_no_zone() {
    let zoneless = License { time_zone: None, ..license(1) };
    assert_spans(
        &window(&zoneless, "P1D"),
        &[("2027-06-15T05:00:00Z", "2027-06-15T00:00:00Z", "2027-06-16T00:00:00Z")],
    );
}

#[test]
fn a_day_may_have_23_or_25_hours() {
    let berlin = License { time_zone: Some("Europe/Berlin".to_owned()), ..license(1) };
    assert_spans(
        &window(&berlin, "P1D"),
        &[
            ("2027-03-28T10:00:00Z", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"),
            ("2027-10-31T10:00:00Z", "2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z"),
        ],
    );
}

#[test]
fn other_windows_count_from_the_licenses_beginning() {
    let license = License { not_before: at("2027-01-31T09:30:00Z"), ..license(1) };
    assert_spans(
        &window(&license, "PT6H"),
        &[
            ("2027-01-31T15:29:59.999Z", "2027-01-31T09:30:00Z", "2027-01-31T15:30:00Z"),
            ("2027-01-31T15:30:00Z", "2027-01-31T15:30:00Z", "2027-01-31T21:30:00Z"),
        ],
    );
    assert_spans(
        &window(&license, "P7D"),
        &[("2027-02-20T00:00:00Z", "2027-02-14T09:30:00Z", "2027-02-21T09:30:00Z")],
    );
    // Multiples of the length, not one month's shortened end carried into the next.
    assert_spans(
        &window(&license, "P2M"),
        &[("2027-08-01T00:00:00Z", "2027-07-31T09:30:00Z", "2027-09-30T09:30:00Z")],
    );
    assert_spans(
        &window(&license, "PT1S"),
        &[("2027-12-31T23:59:59.500Z", "2027-12-31T23:59:59Z", "2028-01-01T00:00:00Z")],
    );
}

#[test]
fn time_before_the_license_opens_no_window_of_its_own() {
    for period in ["P1D", "P1M", "P7D", "PT1H"] {
        let window = window(&license(1), period);
        let first = window.span_at(at("2027-01-01T00:00:00Z"));
        for early in ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-12-31T23:59:59Z"] {
            assert_eq!(window.span_at(at(early)), first, "{period} {early}");
        }
    }
}

#[test]
fn the_last_year_has_windows_too() {
    for period in ["P1D", "P1M", "P1Y", "P7D", "PT1H", "P99Y"] {
        let (start, end) = window(&license(1), period).span_at(at("9999-12-31T23:59:59.999Z"));
        assert!(start < end, "{period}");
        assert!(end >= at("9999-12-30T00:00:00Z"), "{period}: {end}");
    }
}
