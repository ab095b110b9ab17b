//! Retry-After as it comes off the wire.

use std::time::Duration;

use farhold_contract::Timestamp;
use farhold_sync::retry_after;

use crate::support::seconds;

fn read(value: &str, date: Option<&str>) -> Option<Duration> {
    let wall: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
    retry_after(value, date, wall)
}

#[test]
fn seconds_are_read_however_many() {
    assert_eq!(read("120", None), Some(seconds(120)));
    assert_eq!(read(" 0 ", None), Some(seconds(0)));
    assert_eq!(read("99999999999999999999999999", None), Some(seconds(u64::MAX)));
}

#[test]
fn a_date_counts_from_the_answers_own_date_before_the_sites_clock() {
    let until = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(read(until, None), Some(seconds(30)));
    assert_eq!(read(until, Some("Sun, 06 Nov 1994 08:49:27 GMT")), Some(seconds(10)));
    assert_eq!(read(until, Some("not a date")), Some(seconds(30)));
}

#[test]
fn a_date_that_has_passed_is_no_wait() {
    assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT", None), Some(seconds(0)));
}

#[test]
fn what_is_neither_says_nothing() {
    for bad in [
        "",
        "-1",
        "1.5",
        "soon",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Brumaire 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun",
        "Söndag, 06 Nov 1994",
    ] {
        assert_eq!(read(bad, None), None, "{bad}");
    }
}
