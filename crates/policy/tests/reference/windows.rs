//! Windows, one after the other, and a ledger of what was used in each.

use jiff::{ToSpan, civil::Date, tz::TimeZone};

use farhold_contract::Timestamp;

const DAY_MS: i64 = 86_400_000;

/// Every instant at which a window begins, from the one that `from` lies in to the first at or
/// after `to`. `zone_hours` is the zone's fixed distance from UTC.
pub fn turns(period: &str, from: Timestamp, to: Timestamp, zone_hours: i64) -> Vec<i64> {
    let (from, to) = (from.as_ms(), to.as_ms());
    let mut turns = Vec::new();
    if let "P1D" | "P1M" | "P1Y" = period {
        let shift = zone_hours * 3_600_000;
        // Day by day from two years before, keeping the days that begin a window.
        let mut number = (from + shift).div_euclid(DAY_MS) - 732;
        loop {
            let day: Date = jiff::civil::date(1970, 1, 1) + number.days();
            let begins = match period {
                "P1D" => true,
                "P1M" => day.day() == 1,
                _ => day.day() == 1 && day.month() == 1,
            };
            let midnight = number * DAY_MS - shift;
            if begins {
                if midnight <= from {
                    turns.clear();
                }
                turns.push(midnight);
                if midnight >= to && turns.len() > 1 {
                    return turns;
                }
            }
            number += 1;
        }
    }
    let length = match period {
        "PT6H" => 6 * 3_600_000,
        "P3D" => 3 * DAY_MS,
        "P1DT12H" => DAY_MS + DAY_MS / 2,
        other => panic!("the model knows no {other}"),
    };
    let mut at = from;
    loop {
        turns.push(at);
        if at >= to && turns.len() > 1 {
            return turns;
        }
        at += length;
    }
}

/// Every beginning of a window of so many months in UTC, from `from` to the first at or after `to`:
/// the same day of the month, or the month's last where it has no such day.
pub fn month_turns(from: Timestamp, months: i64, to: i64) -> Vec<i64> {
    let (day_number, time_ms) = (from.as_ms().div_euclid(DAY_MS), from.as_ms().rem_euclid(DAY_MS));
    let epoch = jiff::civil::date(1970, 1, 1);
    let first: Date = epoch + day_number.days();
    let mut turns = Vec::new();
    let mut month = i64::from(first.year()) * 12 + i64::from(first.month()) - 1;
    loop {
        let year = i16::try_from(month.div_euclid(12)).unwrap();
        let begins = jiff::civil::date(year, i8::try_from(month.rem_euclid(12)).unwrap() + 1, 1);
        let mut day = begins;
        while day.day() < first.day() && (day + 1.day()).month() == begins.month() {
            day += 1.day();
        }
        turns.push(i64::from((day - epoch).get_days()) * DAY_MS + time_ms);
        if *turns.last().unwrap() >= to {
            return turns;
        }
        month += months;
    }
}

/// The beginning and end of a local day, found quarter by quarter of an hour.
pub fn local_day_bounds(t: Timestamp, zone: &TimeZone) -> (i64, i64) {
    const QUARTER_MS: i64 = 900_000;
    let date_at = |ms: i64| zone.to_datetime(jiff::Timestamp::from_millisecond(ms).unwrap()).date();
    let today = date_at(t.as_ms());
    let first = t.as_ms().div_euclid(QUARTER_MS) * QUARTER_MS;
    let mut start = first;
    while date_at(start - QUARTER_MS) == today {
        start -= QUARTER_MS;
    }
    let mut end = first;
    while date_at(end) == today {
        end += QUARTER_MS;
    }
    (start, end)
}

/// What was used in each window of a license's life; the open one only moves forward.
pub struct Ledger {
    turns: Vec<i64>,
    /// The first instant at which no window begins any more.
    renews_until: i64,
    allowance: u64,
    open: usize,
    used: Vec<u64>,
}

impl Ledger {
    pub fn new(turns: Vec<i64>, renews_until: Timestamp, allowance: u64) -> Self {
        let used = vec![0; turns.len()];
        Self { turns, renews_until: renews_until.as_ms(), allowance, open: 0, used }
    }

    /// Whether `units` may be used at a quota time; they are, if so.
    pub fn take(&mut self, quota_time: Timestamp, units: u64) -> bool {
        let begun = |&&turn: &&i64| turn <= quota_time.as_ms() && turn < self.renews_until;
        let present = self.turns.iter().filter(begun).count().saturating_sub(1);
        // A window opens by being used.
        let open = self.open.max(present);
        let enough = self.used[open] + units <= self.allowance;
        if enough {
            self.open = open;
            self.used[open] += units;
        }
        enough
    }

    /// Units used in all windows.
    pub fn total(&self) -> u64 {
        self.used.iter().sum()
    }

    /// Windows that began while quotas still renewed, the first included.
    pub fn windows(&self) -> u64 {
        let renewing = self.turns.iter().filter(|&&turn| turn < self.renews_until).count();
        renewing.max(1) as u64
    }
}
