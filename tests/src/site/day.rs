//! Days counted from today: the real binaries go by the real clock, so stories about the end of a
//! license are dated around it. Two days of margin keep every zone's midnight out of them.

use farhold_contract::Date;

/// The day so many days from now.
pub fn day(from_now: i64) -> Date {
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
    let day = today.checked_add(jiff::Span::new().days(from_now)).expect("a day of this age");
    day.to_string().parse().expect("a date is one")
}

/// The first instant of that day, in UTC.
pub fn start_of(from_now: i64) -> String {
    format!("{}T00:00:00Z", day(from_now))
}
