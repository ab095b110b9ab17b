//! Entitlement of a license: a feature, for whom, how much, until when, and what follows.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use farhold_contract::{Timestamp, id::RuntimeId, model::RuntimeType};

use crate::{error::PayloadError, number::Positive, payload::check_name, period::Period};

use super::License;

/// One feature granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    /// What may be used.
    pub feature: String,
    /// Only runtimes of this type; absent, like `runtime_id`: every runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_type: Option<RuntimeType>,
    /// Only this runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// How much.
    #[serde(default)]
    pub limits: LicenseLimits,
    /// An end before the license's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// Replaces the license's ladder for this feature; the license's stop still ends all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Ladder>,
}

/// How much of a feature may be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseLimits {
    /// Units per window; absent: as many as wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Positive>,
    /// After which the quota begins anew; absent: never, in the license's life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_window: Option<Period>,
    /// How many at once; counted by leases, which a later version brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Positive>,
    /// Units above the quota that are still given, and shown as such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overage: Option<Positive>,
}

/// What follows an end: lengths laid end to end after it. An absent rung is zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// How long before the end it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn: Option<Period>,
    /// All works, shown honestly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<Period>,
    /// What is registered keeps what the license gave; nothing new, no quota renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restrict: Option<Period>,
}

impl Entitlement {
    /// The instant from which a license of this stop grants it to nobody any more (`bundle.md`
    /// §4.4); absent: what was released early enough is covered without end.
    pub(crate) fn stop(&self, license: &License, whole: Option<Timestamp>) -> Option<Timestamp> {
        let ladder = self.ladder.as_ref().unwrap_or(&license.ladder);
        let own = |end| ladder.stop(end, &license.end_zone());
        if license.released_before.is_some() {
            return self.valid_until.map(own);
        }
        let whole = whole?;
        if self.valid_until.is_none() && self.ladder.is_none() {
            return Some(whole);
        }
        let end = self.valid_until.or_else(|| license.end());
        Some(end.map_or(whole, |end| own(end).min(whole)))
    }

    /// For whom: two entitlements of one license never share feature and scope.
    pub(super) fn scope(&self) -> (&str, Option<RuntimeType>, Option<RuntimeId>) {
        (&self.feature, self.runtime_type, self.runtime_id)
    }

    pub(super) fn check(&self, license_end: Option<Timestamp>) -> Result<(), PayloadError> {
        check_name("entitlements.feature", &self.feature)?;
        if self.runtime_type.is_some() && self.runtime_id.is_some() {
            return Err(PayloadError::invalid(
                "entitlements",
                "name runtime_type or runtime_id, not both",
            ));
        }
        let limits = &self.limits;
        if limits.quota.is_none() && (limits.time_window.is_some() || limits.overage.is_some()) {
            return Err(PayloadError::invalid(
                "entitlements.limits",
                "have a window or overage without a quota",
            ));
        }
        if let (Some(until), Some(end)) = (self.valid_until, license_end)
            && until > end
        {
            return Err(PayloadError::invalid(
                "entitlements.valid_until",
                "is after the license's end",
            ));
        }
        let ends = self.valid_until.is_some() || license_end.is_some();
        self.ladder.as_ref().map_or(Ok(()), |ladder| ladder.check(ends))
    }
}

impl Ladder {
    /// The end of its last rung, laid after an end by the calendar of a zone.
    pub(super) fn stop(&self, end: Timestamp, zone: &TimeZone) -> Timestamp {
        let rungs = [&self.grace, &self.restrict].into_iter().flatten();
        rungs.fold(end, |from, rung| rung.after(from, zone))
    }

    pub(super) fn check(&self, follows_an_end: bool) -> Result<(), PayloadError> {
        if !follows_an_end && *self != Self::default() {
            return Err(PayloadError::invalid(
                "ladder",
                "follows an end that the license does not have",
            ));
        }
        Ok(())
    }
}
