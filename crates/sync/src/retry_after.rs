//! Retry-After: seconds, or a date (RFC 9110 §10.2.3).

use std::time::Duration;

use farhold_contract::Timestamp;

/// How long a `Retry-After` asks to wait; `None` if it says nothing that can be read.
///
/// A date counts from the answer's own `Date` where it has one: the site's clock may be wrong.
/// What is absurd is read as it stands; [`crate::verdict`] bounds it.
pub fn retry_after(value: &str, date: Option<&str>, wall: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more seconds than matter.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = fixdate(value)?;
    let from = date.and_then(|date| fixdate(date.trim())).unwrap_or(wall);
    Some(until.saturating_since(from))
}

/// An IMF-fixdate like `Sun, 06 Nov 1994 08:49:37 GMT`; the two obsolete forms are not read.
fn fixdate(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.get(3..)?.strip_prefix(", ")?.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if words.next() != Some("GMT") || words.next().is_some() {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    format!("{year}-{month:02}-{day}T{time}Z").parse().ok()
}
