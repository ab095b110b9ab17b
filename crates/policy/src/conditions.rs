//! Conditions: what of the licenses someone should act on.

use farhold_contract::{Timestamp, condition::ConditionCode};

use crate::{
    clock::Now, ladder::Phase, line::Line, standing_license::StandingLicense, state::PolicyState,
};

/// Bands of the warning before an end, in days: one is said once (`operations.md`, "Numbers").
const BANDS: [i64; 6] = [1, 3, 7, 14, 30, 60];

const DAY_MS: i64 = 86_400_000;

/// A calendar day may be longer by a change of the clocks: no band is said twice for that.
const SLACK_MS: i64 = 2 * 3_600_000;

impl PolicyState {
    /// The conditions of all lines: which, and a detail that changes only when it must be said
    /// again.
    pub fn conditions(&self, now: &Now) -> Vec<(ConditionCode, String)> {
        let lines = self.tenants.values().flatten();
        lines.flat_map(|line| line.conditions(now.instant)).collect()
    }
}

impl Line {
    fn conditions(&self, instant: Timestamp) -> Vec<(ConditionCode, String)> {
        let in_force = self.in_force(instant);
        let mut found = Vec::new();
        // A revoked license matters while nothing newer has taken its place.
        let newest = self.licenses.iter().find(|license| license.has_begun_at(instant));
        if let Some(revoked) = newest.filter(|license| license.revoked) {
            found.push((ConditionCode::LicenseRevoked, revoked.name()));
        }
        if let Some(license) = in_force
            && let Some((code, what)) = self.end_condition(license, instant)
        {
            found.push((code, format!("{}: {what}", license.name())));
        }
        found
    }

    fn end_condition(
        &self,
        license: &StandingLicense,
        instant: Timestamp,
    ) -> Option<(ConditionCode, String)> {
        let timeline = &license.timeline;
        let (ends, grace_ends) = (timeline.ends?, timeline.grace_ends?);
        let stops = timeline.restrict_ends?;
        match timeline.phase_at(instant) {
            Phase::NotBegun | Phase::InForce => None,
            // The renewal is there and waits for its beginning.
            Phase::Expiring if self.successor_of(license).is_some() => None,
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
            Phase::Stopped => {
                let kept = license.released_before.map_or_else(String::new, |day| {
                    format!("; runtimes released before {day} stay covered")
                });
                Some((ConditionCode::LicenseExpired, format!("ended {ends}{kept}")))
            }
        }
    }
}

impl StandingLicense {
    fn name(&self) -> String {
        format!("license {} serial {} for {}", self.license_id, self.serial, self.product)
    }
}

/// The narrowest band that the time left lies in; none above the widest.
fn band(left_ms: i64) -> String {
    match BANDS.into_iter().find(|days| left_ms <= days * DAY_MS + SLACK_MS) {
        Some(1) => ", within 1 day".to_owned(),
        Some(days) => format!(", within {days} days"),
        None => String::new(),
    }
}
