//! Window: the stretches of time in each of which a quota counts anew.

use jiff::{
    Span,
    civil::{self, date},
    tz::TimeZone,
};

use farhold_bundle::{Period, payload::License};
use farhold_contract::Timestamp;

/// How a quota's windows lie in time (`bundle.md` §4, "Windows").
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    period: Period,
    turn: Turn,
    zone: TimeZone,
    /// The license's beginning: no window before the one it lies in is ever open.
    anchor: Timestamp,
}

/// Where a window turns into the next.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Turn {
    /// At midnight.
    Day,
    /// At the first of the month.
    Month,
    /// At the first of January.
    Year,
    /// At whole multiples of its length from the license's beginning.
    Counted {
        /// The mean length, to begin the search for the multiple.
        mean_ms: f64,
    },
}

impl Window {
    /// The windows of this length in a license's zone.
    pub fn of(license: &License, period: &Period) -> Self {
        let turn = match period.as_str() {
            "P1D" => Turn::Day,
            "P1M" => Turn::Month,
            "P1Y" => Turn::Year,
            _ => Turn::Counted { mean_ms: mean_ms(period.span()) },
        };
        Self {
            period: period.clone(),
            turn,
            zone: license.window_zone(),
            anchor: license.not_before,
        }
    }

    /// Its length, as the license writes it.
    pub const fn period(&self) -> &Period {
        &self.period
    }

    /// The window that `quota_time` lies in: its first instant and the next window's.
    ///
    /// Time before the license's beginning counts as its beginning: a clock that starts in
    /// another year opens no windows that the license doesn't have.
    pub fn span_at(&self, quota_time: Timestamp) -> (Timestamp, Timestamp) {
        // Calendar arithmetic ends a day before the last instant that can be written.
        let at: Timestamp = jiff::Timestamp::from(quota_time.max(self.anchor)).into();
        match self.turn {
            Turn::Day => {
                let day = self.local_date(at);
                self.between(Some(day), day.tomorrow().ok())
            }
            Turn::Month => {
                let first = self.local_date(at).first_of_month();
                self.between(Some(first), first.checked_add(Span::new().months(1)).ok())
            }
            Turn::Year => {
                let first = date(self.local_date(at).year(), 1, 1);
                self.between(Some(first), first.checked_add(Span::new().years(1)).ok())
            }
            Turn::Counted { mean_ms } => self.counted(at, mean_ms),
        }
    }

    fn counted(&self, at: Timestamp, mean_ms: f64) -> (Timestamp, Timestamp) {
        let elapsed_ms = at.as_ms() - self.anchor.as_ms();
        // Only where the search begins: both loops end at the right multiple from anywhere.
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let mut number = (elapsed_ms as f64 / mean_ms) as i64;
        while number > 0 && self.turn_after(number) > at {
            number -= 1;
        }
        let mut start = self.turn_after(number);
        loop {
            let end = self.turn_after(number + 1);
            if end > at || end <= start {
                return (start, end);
            }
            start = end;
            number += 1;
        }
    }

    /// The beginning of the counted window with this number, the first being 0.
    ///
    /// Multiplied, not added up: a month from the 31st must not end on the 28th for ever.
    fn turn_after(&self, number: i64) -> Timestamp {
        let start = jiff::Timestamp::from(self.anchor).to_zoned(self.zone.clone());
        let shift = self.period.span().checked_mul(number);
        shift
            .and_then(|shift| start.checked_add(shift))
            .map_or(Timestamp::MAX, |at| at.timestamp().into())
    }

    fn local_date(&self, at: Timestamp) -> civil::Date {
        jiff::Timestamp::from(at).to_zoned(self.zone.clone()).date()
    }

    fn between(
        &self,
        from: Option<civil::Date>,
        to: Option<civil::Date>,
    ) -> (Timestamp, Timestamp) {
        let midnight = |day: Option<civil::Date>| {
            day.and_then(|day| day.to_zoned(self.zone.clone()).ok())
                .map(|midnight| midnight.timestamp().into())
        };
        (midnight(from).unwrap_or(Timestamp::MIN), midnight(to).unwrap_or(Timestamp::MAX))
    }
}

fn mean_ms(span: Span) -> f64 {
    const DAY_MS: f64 = 86_400_000.0;
    let exact_ms = f64::from(span.get_hours()) * 3_600_000.0
        + lossy(span.get_minutes()) * 60_000.0
        + lossy(span.get_seconds()) * 1_000.0;
    exact_ms
        + f64::from(span.get_days()) * DAY_MS
        + f64::from(span.get_weeks()) * 7.0 * DAY_MS
        + f64::from(span.get_months()) * 30.436_875 * DAY_MS
        + f64::from(span.get_years()) * 365.242_5 * DAY_MS
}

#[allow(clippy::cast_precision_loss)] // periods are at most 100 years: far below 2^53 seconds
fn lossy(count: i64) -> f64 {
    count as f64
}
