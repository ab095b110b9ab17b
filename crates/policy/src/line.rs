//! Line: the serials of one tenant's license for one product, of which one is in force.

use std::sync::Arc;

use farhold_contract::{Code, Timestamp, mode::Mode};

use crate::{
    clock::Now,
    decision::Refused,
    grant::Grant,
    ladder::Phase,
    question::{Link, Question},
    standing_license::{Coverage, Granted, StandingLicense},
};

/// The serials of one tenant's license for one product.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) product: Arc<str>,
    /// The highest serial first.
    pub(crate) licenses: Vec<StandingLicense>,
}

/// How much a line's refusal tells; the later, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Telling {
    /// No license of the line is in force, and none of them names the feature for the runtime.
    NothingInForce,
    /// The license in force doesn't grant it.
    NotGranted,
    /// A license grants it that has not begun.
    NotBegun,
    /// A license granted it that was revoked.
    Revoked,
    /// The license in force granted it until an end.
    Ended,
    /// The license in force grants it to other versions.
    OtherVersion,
}

impl Line {
    /// The license in force (`bundle.md` §4): the highest serial that has begun and stands.
    pub(crate) fn in_force(&self, instant: Timestamp) -> Option<&StandingLicense> {
        self.licenses.iter().find(|license| license.may_hold_at(instant))
    }

    /// What the line says to a question.
    pub(crate) fn resolve(
        &self,
        question: &Question<'_>,
        now: &Now,
        link: Link,
    ) -> Result<Grant, (Telling, Refused)> {
        let Some(license) = self.in_force(now.instant) else {
            return Err(self.nothing_in_force(question, now.instant));
        };
        let Some(granted) = license.entitlement(question.feature, question.runtime) else {
            return Err((Telling::NotGranted, license.refusal(Code::FeatureNotGranted)));
        };
        let coverage = license.coverage(question.runtime);
        if coverage == Coverage::No {
            return Err((Telling::OtherVersion, license.refusal(Code::LicenseVersion)));
        }
        let timeline = granted.timeline_for(coverage);
        let phase = timeline.phase_at(now.instant);
        let Some(mode) = mode_of(phase, link) else {
            let reason = license.end_reason(granted, coverage, now.instant);
            return Err((Telling::Ended, license.refusal(reason)));
        };
        Ok(Grant {
            mode,
            phase,
            valid_until: timeline.ends,
            limits: granted.limits.clone(),
            license_id: license.license_id,
            serial: license.serial,
            product: license.product.clone(),
            counter: granted.metered_at(now.quota, phase, timeline),
            audit: license.audit,
        })
    }

    /// The code for a line without a license in force, and the license it is about.
    pub(crate) fn why_none(&self, instant: Timestamp) -> Code {
        let begun = self.licenses.iter().any(|license| license.has_begun_at(instant));
        let waits = self.licenses.iter().any(|license| !license.revoked);
        if waits && !begun { Code::LicenseNotBegun } else { Code::LicenseRevoked }
    }

    fn nothing_in_force(&self, question: &Question<'_>, instant: Timestamp) -> (Telling, Refused) {
        let reason = self.why_none(instant);
        let revoked = reason == Code::LicenseRevoked;
        let names = |license: &&StandingLicense| {
            license.entitlement(question.feature, question.runtime).is_some()
        };
        let meant = || self.licenses.iter().filter(|license| license.revoked == revoked);
        let telling = match meant().find(names) {
            Some(_) if revoked => Telling::Revoked,
            Some(_) => Telling::NotBegun,
            None => Telling::NothingInForce,
        };
        let about = meant().find(names).or_else(|| meant().next());
        (telling, about.map_or(Refused::without_license(reason), |l| l.refusal(reason)))
    }
}

impl StandingLicense {
    fn refusal(&self, reason: Code) -> Refused {
        Refused {
            reason,
            mode: Mode::None,
            product: Some(self.product.clone()),
            license_id: Some(self.license_id),
            serial: Some(self.serial),
            records: self.audit.denied,
        }
    }

    /// Whether it was the license that ended, or one entitlement before it.
    fn end_reason(&self, granted: &Granted, coverage: Coverage, instant: Timestamp) -> Code {
        let whole = coverage == Coverage::ToTheEnd
            && (!granted.ends_itself || self.timeline.phase_at(instant) == Phase::Stopped);
        if whole { Code::LicenseExpired } else { Code::EntitlementExpired }
    }
}

/// The mode of a decision: the first that applies (contract v0.2, "mode"); absent: none.
const fn mode_of(phase: Phase, link: Link) -> Option<Mode> {
    match (phase, link) {
        (Phase::NotBegun | Phase::Stopped, _) => None,
        (Phase::Restricted, _) => Some(Mode::Restricted),
        (Phase::Grace, _) => Some(Mode::Grace),
        (_, Link::Detached | Link::Offline) => Some(Mode::Offline),
        (_, Link::Online) => Some(Mode::Online),
    }
}
