//! Lengths of time as documents write them: ISO 8601 durations such as `P14D`.

use std::{fmt, str::FromStr};

use jiff::{Span, Unit, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use farhold_contract::Timestamp;

/// A positive length of time in calendar units, or hours and smaller, of at most 100 years.
#[derive(Clone)]
pub struct Period {
    text: Box<str>,
    span: Span,
}

/// The text is not a period of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 8601 duration of 1 second to 100 years, like P14D or PT1H")]
pub struct PeriodError;

impl Period {
    /// The length for calendar arithmetic.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// The instant that lies so long after another by the calendar of a zone, and not after the last
    /// year that can be written.
    pub fn after(&self, from: Timestamp, zone: &TimeZone) -> Timestamp {
        let start = jiff::Timestamp::from(from).to_zoned(zone.clone());
        start.checked_add(self.span).map_or(Timestamp::MAX, |at| at.timestamp().into())
    }

    /// The period as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        // One spelling: jiff also reads lower case, signs, fractions and its own friendly form.
        let shape = text.len() <= 24
            && text.starts_with('P')
            && text.bytes().all(|b| b.is_ascii_digit() || b"PYMWDTHS".contains(&b));
        if !shape {
            return Err(PeriodError);
        }
        let span: Span = text.parse().map_err(|_| PeriodError)?;
        // Any day serves to compare: the bounds are far from where its choice could matter.
        let seconds =
            span.total((Unit::Second, jiff::civil::date(2001, 1, 1))).map_err(|_| PeriodError)?;
        if !(1.0..=100.0 * 366.0 * 86_400.0).contains(&seconds) {
            return Err(PeriodError);
        }
        Ok(Self { text: text.into(), span })
    }
}

impl PartialEq for Period {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Period {}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_one_spelling_and_a_positive_length() {
        for good in ["P1D", "P14D", "P1M", "P1Y", "P2W", "PT1H", "P1DT12H"] {
            assert_eq!(good.parse::<Period>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "P",
            "PT",
            "P0D",
            "-P1D",
            "+P1D",
            "p1d",
            "1d",
            "P1.5D",
            "P101Y",
            "PT0.5S",
            "P99999999999D",
        ] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }
}
