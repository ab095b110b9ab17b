//! Instants as the contract writes them: RFC 3339 in UTC, kept to the millisecond.

use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
    time::Duration,
};

use jiff::{SignedDuration, civil::DateTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant, in milliseconds since 1970-01-01T00:00:00Z, between the years 1 and 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is not an instant in the contract's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time in UTC, like 2027-01-31T23:59:59Z")]
pub struct TimestampError;

/// Civil time in UTC reaches to the end of year 9999; jiff's own instants end a day earlier.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const FIRST_MS: i64 = -62_135_596_800_000;
const LAST_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The last instant that can be written: 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(LAST_MS);
    /// The first instant that can be written: 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(FIRST_MS);

    /// The instant `ms` milliseconds after 1970-01-01T00:00:00Z, held within the writable years.
    pub const fn from_ms(ms: i64) -> Self {
        if ms < FIRST_MS {
            Self::MIN
        } else if ms > LAST_MS {
            Self::MAX
        } else {
            Self(ms)
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        let ms = self.0.saturating_sub(earlier.0);
        Duration::from_millis(if ms > 0 { ms.unsigned_abs() } else { 0 })
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(at: jiff::Timestamp) -> Self {
        Self::from_ms(at.as_millisecond())
    }
}

impl From<Timestamp> for jiff::Timestamp {
    /// The instant for zone arithmetic; the last hours of year 9999 become jiff's own last.
    fn from(at: Timestamp) -> Self {
        Self::from_millisecond(at.0).unwrap_or(Self::MAX)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        Self::from_ms(self.0.saturating_add(whole_ms(after)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, before: Duration) -> Self {
        Self::from_ms(self.0.saturating_sub(whole_ms(before)))
    }
}

fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        // jiff reads more than RFC 3339 (other separators, weekday suffixes, any offset):
        // one instant has few spellings here, and all of them end in Z.
        let bytes = text.as_bytes();
        let shape = bytes.len() >= 20
            && bytes.len() <= 30
            && bytes[4] == b'-'
            && bytes[7] == b'-'
            && bytes[10] == b'T'
            && bytes[13] == b':'
            && bytes[16] == b':'
            && bytes[bytes.len() - 1] == b'Z'
            && (bytes.len() == 20
                || bytes[19] == b'.'
                    && bytes.len() > 21
                    && bytes[20..bytes.len() - 1].iter().all(u8::is_ascii_digit));
        // jiff folds a leap second into the second before it; a document never needs one.
        if !shape || &bytes[17..19] == b"60" {
            return Err(TimestampError);
        }
        let civil: DateTime = text[..text.len() - 1].parse().map_err(|_| TimestampError)?;
        match i64::try_from(civil.duration_since(EPOCH).as_millis()) {
            Ok(ms @ FIRST_MS..=LAST_MS) => Ok(Self(ms)),
            _ => Err(TimestampError),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = EPOCH + SignedDuration::from_millis(self.0);
        if self.0 % 1000 == 0 { write!(f, "{civil:.0}Z") } else { write!(f, "{civil:.3}Z") }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_one_shape() {
        let at: Timestamp = "2026-11-22T07:00:00Z".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-22T07:00:00Z");
        let at: Timestamp = "2026-11-22T07:00:00.25Z".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-22T07:00:00.250Z");
        for bad in [
            "2026-11-22T07:00:00+00:00",
            "2026-11-22 07:00:00Z",
            "2026-11-22t07:00:00Z",
            "2026-11-22T07:00:00z",
            "2026-11-22T07:00Z",
            "2026-11-22T07:00:60Z",
            "2026-13-22T07:00:00Z",
            "0000-01-01T00:00:00Z",
            "2026-11-22T07:00:00Z[UTC]",
            "2026-11-22T07:00:00.5-04Z",
            "2026-11-22T07:00:00.5[UTC]Z",
            "2026-11-22T07:00:00.Z",
            "",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_and_last_year_can_be_written() {
        for edge in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"] {
            assert_eq!(edge.parse::<Timestamp>().unwrap().to_string(), edge);
        }
        assert_eq!(Timestamp::MAX + Duration::from_secs(1), Timestamp::MAX);
    }
}
