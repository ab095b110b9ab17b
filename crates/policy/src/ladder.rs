//! Ladder: the instants at which a license or an entitlement changes its phase.

use jiff::{Span, tz::TimeZone};

use farhold_bundle::{
    Period,
    payload::{Entitlement, Ladder, License},
};
use farhold_contract::Timestamp;

/// How long before an end it is said where the license doesn't say: the first warning band.
const WARN_DAYS: i64 = 60;

/// Where something stands between its beginning and its stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before its beginning.
    NotBegun,
    /// It holds.
    InForce,
    /// It holds, and its end is near.
    Expiring,
    /// Past its signed end: all works, shown honestly.
    Grace,
    /// Past its grace: what is registered keeps what it had, nothing new begins.
    Restricted,
    /// Over.
    Stopped,
}

/// The instants between phases, each the first of the later one; all absent: it never ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    /// The first instant it holds.
    pub begins: Timestamp,
    /// From here its end is said to be near; absent: it never ends.
    pub warns_at: Option<Timestamp>,
    /// The signed end.
    pub ends: Option<Timestamp>,
    /// The end of the grace.
    pub grace_ends: Option<Timestamp>,
    /// The end of the restricted time: the stop.
    pub restrict_ends: Option<Timestamp>,
}

impl Phase {
    /// The phase in one word, as programs are told it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotBegun => "not_begun",
            Self::InForce => "in_force",
            Self::Expiring => "expiring",
            Self::Grace => "grace",
            Self::Restricted => "restricted",
            Self::Stopped => "stopped",
        }
    }
}

impl Timeline {
    /// The timeline of a license as a whole.
    pub fn of_license(license: &License) -> Self {
        let never = Self::without_end(license.not_before);
        license.end().map_or(never, |end| never.ending(end, &license.ladder, &license.end_zone()))
    }

    /// The timeline of one entitlement: its own end and ladder where it has them, and never past
    /// the license's stop (`bundle.md` §4, "Ladder").
    pub fn of_entitlement(license: &License, entitlement: &Entitlement) -> Self {
        Self::within(Self::of_license(license), license, entitlement, &license.end_zone())
    }

    /// The timeline of an entitlement for a runtime that the license covers without end
    /// (`released_before`): only an end of the entitlement's own ends it.
    pub fn of_released(license: &License, entitlement: &Entitlement) -> Self {
        let whole = Self::without_end(license.not_before);
        Self::within(whole, license, entitlement, &license.end_zone())
    }

    /// The phase at an instant.
    pub fn phase_at(&self, instant: Timestamp) -> Phase {
        let reached = |bound: Option<Timestamp>| bound.is_some_and(|bound| instant >= bound);
        if instant < self.begins {
            Phase::NotBegun
        } else if reached(self.restrict_ends) {
            Phase::Stopped
        } else if reached(self.grace_ends) {
            Phase::Restricted
        } else if reached(self.ends) {
            Phase::Grace
        } else if reached(self.warns_at) {
            Phase::Expiring
        } else {
            Phase::InForce
        }
    }

    /// The timeline of one entitlement of a license whose own is `whole`.
    pub(crate) fn within(
        whole: Self,
        license: &License,
        entitlement: &Entitlement,
        end_zone: &TimeZone,
    ) -> Self {
        if entitlement.valid_until.is_none() && entitlement.ladder.is_none() {
            return whole;
        }
        let never = whole.without_its_end();
        let ladder = entitlement.ladder.as_ref().unwrap_or(&license.ladder);
        let end = entitlement.valid_until.or(whole.ends);
        end.map_or(never, |end| never.ending(end, ladder, end_zone)).stopping_by(whole)
    }

    /// The same beginning, and no end.
    pub(crate) const fn without_its_end(self) -> Self {
        Self::without_end(self.begins)
    }

    const fn without_end(begins: Timestamp) -> Self {
        Self { begins, warns_at: None, ends: None, grace_ends: None, restrict_ends: None }
    }

    /// Lays the rungs end to end after `end`, by the calendar of the license's zone.
    fn ending(self, end: Timestamp, ladder: &Ladder, zone: &TimeZone) -> Self {
        let warn = ladder.warn.as_ref().map_or(Span::new().days(WARN_DAYS), Period::span);
        let after = |from: Timestamp, rung: &Option<Period>| {
            rung.as_ref().map_or(from, |rung| rung.after(from, zone))
        };
        let grace_ends = after(end, &ladder.grace);
        Self {
            begins: self.begins,
            warns_at: Some(before(end, warn, zone).max(self.begins).min(end)),
            ends: Some(end),
            grace_ends: Some(grace_ends),
            restrict_ends: Some(after(grace_ends, &ladder.restrict)),
        }
    }

    /// The license's stop ends all.
    fn stopping_by(self, license: Self) -> Self {
        let Some(stop) = license.restrict_ends else { return self };
        Self {
            begins: self.begins,
            warns_at: self.warns_at.map(|at| at.min(stop)),
            ends: self.ends.map(|at| at.min(stop)),
            grace_ends: self.grace_ends.map(|at| at.min(stop)),
            restrict_ends: self.restrict_ends.map(|at| at.min(stop)),
        }
    }
}

/// So long before an end by the calendar of a zone, and not before the first year that can be written.
fn before(end: Timestamp, by: Span, zone: &TimeZone) -> Timestamp {
    let end = jiff::Timestamp::from(end).to_zoned(zone.clone());
    end.checked_sub(by).map_or(Timestamp::MIN, |at| at.timestamp().into())
}
