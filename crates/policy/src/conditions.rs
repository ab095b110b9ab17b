//! Conditions: what of the licenses someone should act on.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use farhold_contract::{Timestamp, condition::ConditionCode};

use crate::{
    clock::Now,
    ladder::{Phase, Timeline},
    line::Line,
    reign::Reign,
    standing_license::StandingLicense,
    state::PolicyState,
};

/// Bands of the warning before an end, in days: one is said once (`operations.md`, "Numbers").
const BANDS: [i64; 6] = [1, 3, 7, 14, 30, 60];

const DAY_MS: i64 = 86_400_000;

/// A calendar day may be longer by a change of the clocks: no band is said twice for that.
const SLACK_MS: i64 = 2 * 3_600_000;

/// For so long it is said that an entitlement has ended while its license goes on: as long as it
/// was said before. A trial that ended is no fault that stands for the rest of the contract.
const ENDED_IS_TOLD: Duration = Duration::from_hours(60 * 24);

/// Most details of one condition, and most features in one of them.
const MOST: usize = 3;

impl PolicyState {
    /// The conditions of all lines, each at most once, with a detail that changes only when it
    /// must be said again. Barred licenses are none: the site knows why it bars them.
    pub fn conditions(&self, now: &Now) -> Vec<(ConditionCode, String)> {
        let mut told: Vec<(ConditionCode, Vec<String>)> = Vec::new();
        let lines = self.tenants.values().flatten();
        for (code, detail) in lines.flat_map(|line| line.conditions(now.instant)) {
            match told.iter_mut().find(|(known, _)| *known == code) {
                Some((_, details)) => details.push(detail),
                None => told.push((code, vec![detail])),
            }
        }
        told.into_iter().map(|(code, details)| (code, listed(&details, "; "))).collect()
    }
}

impl Line {
    fn conditions(&self, instant: Timestamp) -> Vec<(ConditionCode, String)> {
        let mut found = Vec::new();
        // A revoked license matters while nothing newer has taken its place.
        let mut admitted = self.licenses.iter().filter(|license| license.barred.is_none());
        let newest = admitted.find(|license| license.has_begun_at(instant));
        if let Some(revoked) = newest.filter(|license| license.revoked) {
            found.push((ConditionCode::LicenseRevoked, revoked.name()));
        }
        if let Some(reign) = self.reigns_from(instant).next() {
            found.extend(reign.conditions(instant));
        }
        found
    }
}

impl Reign<'_> {
    /// The end of the license, and what ends otherwise than it.
    fn conditions(&self, instant: Timestamp) -> Vec<(ConditionCode, String)> {
        let license = self.license;
        let whole = self.end_condition(&license.timeline, instant);
        let mut own: BTreeMap<(ConditionCode, String), BTreeSet<&str>> = BTreeMap::new();
        if license.timeline.phase_at(instant) != Phase::Stopped {
            for granted in license.entitlements.iter().filter(|g| g.has_its_own_course()) {
                let condition = self.end_condition(&granted.timeline, instant);
                if let Some(condition) = condition.filter(|own| whole.as_ref() != Some(own))
                    && !is_old_news(&granted.timeline, instant)
                {
                    own.entry(condition).or_default().insert(&granted.feature);
                }
            }
        }
        let named = whole.map(|(code, what)| match license.released_before {
            Some(day) if code == ConditionCode::LicenseExpired => {
                (code, format!("{what}; runtimes released before {day} stay covered"))
            }
            _ => (code, what),
        });
        let named = named.map(|(code, what)| (code, format!("{}: {what}", license.name())));
        let own = own.into_iter().map(|((code, what), features)| {
            let features: Vec<_> = features.into_iter().collect();
            (code, format!("{} of {}: {what}", listed(&features, ", "), license.name()))
        });
        named.into_iter().chain(own).collect()
    }

    fn end_condition(
        &self,
        timeline: &Timeline,
        instant: Timestamp,
    ) -> Option<(ConditionCode, String)> {
        let (ends, grace_ends) = (timeline.ends?, timeline.grace_ends?);
        let stops = timeline.restrict_ends?;
        match timeline.phase_at(instant) {
            Phase::NotBegun | Phase::InForce => None,
            // The renewal is there and waits for its beginning.
            Phase::Expiring if self.is_followed_before(Some(ends)) => None,
            Phase::Expiring => {
                let band = band(ends.as_ms() - instant.as_ms());
                Some((ConditionCode::LicenseExpiring, format!("ends {ends}{band}")))
            }
            Phase::Grace => Some((
                ConditionCode::LicenseGrace,
                format!("ended {ends}; its grace ends {grace_ends}"),
            )),
            Phase::Restricted => {
                Some((ConditionCode::LicenseRestricted, format!("ended {ends}; all stops {stops}")))
            }
            Phase::Stopped => Some((ConditionCode::LicenseExpired, format!("ended {ends}"))),
        }
    }
}

impl StandingLicense {
    fn name(&self) -> String {
        format!("license {} serial {} for {}", self.license_id, self.serial, self.product)
    }
}

fn is_old_news(timeline: &Timeline, instant: Timestamp) -> bool {
    timeline.restrict_ends.is_some_and(|stop| instant >= stop + ENDED_IS_TOLD)
}

/// The narrowest band that the time left lies in; none above the widest.
fn band(left_ms: i64) -> String {
    match BANDS.into_iter().find(|days| left_ms <= days * DAY_MS + SLACK_MS) {
        Some(1) => ", within 1 day".to_owned(),
        Some(days) => format!(", within {days} days"),
        None => String::new(),
    }
}

fn listed(items: &[impl AsRef<str>], between: &str) -> String {
    let shown: Vec<&str> = items.iter().take(MOST).map(AsRef::as_ref).collect();
    let shown = shown.join(between);
    match items.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
