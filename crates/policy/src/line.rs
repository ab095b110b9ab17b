//! Line: the serials of one tenant's license for one product, of which one is in force.

use std::sync::Arc;

use farhold_contract::{Code, Timestamp, mode::Mode};

use crate::{
    decision::Refused,
    grant::Grant,
    granted::Granted,
    outlook::Verdict,
    question::{Asker, Link},
    standing_license::{Coverage, StandingLicense},
};

/// The serials of one tenant's license for one product.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) product: Arc<str>,
    /// The highest serial first.
    pub(crate) licenses: Vec<StandingLicense>,
}

/// An entitlement that holds.
pub(crate) struct Held<'l> {
    license: &'l StandingLicense,
    granted: &'l Granted,
    coverage: Coverage,
    verdict: Verdict,
    pub(crate) mode: Mode,
}

/// Why a line says no.
#[derive(Clone, Copy)]
pub(crate) struct Denied<'l> {
    pub(crate) telling: Telling,
    pub(crate) reason: Code,
    /// The license that the reason is about, if there is one.
    license: Option<&'l StandingLicense>,
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
    /// A license grants it that this site does not admit.
    Barred,
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

    /// What the line says to whoever asks.
    #[inline]
    pub(crate) fn weigh(
        &self,
        asker: &Asker<'_>,
        instant: Timestamp,
        link: Link,
    ) -> Result<Held<'_>, Denied<'_>> {
        let Some(license) = self.in_force(instant) else {
            return Err(self.nothing_in_force(asker, instant));
        };
        let denied = |telling, reason| Denied { telling, reason, license: Some(license) };
        let Some(granted) = license.entitlement(asker) else {
            return Err(denied(Telling::NotGranted, Code::FeatureNotGranted));
        };
        let coverage = license.coverage(asker.runtime);
        let verdict = license.verdict(granted, coverage, instant, link);
        match verdict.answer {
            Ok(mode) => Ok(Held { license, granted, coverage, verdict, mode }),
            Err(reason) if coverage == Coverage::No => Err(denied(Telling::OtherVersion, reason)),
            Err(reason) => Err(denied(Telling::Ended, reason)),
        }
    }

    /// Why no license of the line is in force.
    pub(crate) fn why_none(&self, instant: Timestamp) -> Code {
        let unrevoked = || self.licenses.iter().filter(|license| !license.revoked);
        let begun = |license: &&StandingLicense| license.has_begun_at(instant);
        // What would be in force, were it admitted.
        if let Some(barred) = unrevoked().filter(begun).find_map(|license| license.barred) {
            return barred;
        }
        if self.licenses.iter().any(|license| license.has_begun_at(instant)) {
            return Code::LicenseRevoked;
        }
        if unrevoked().any(|license| license.barred.is_none()) {
            return Code::LicenseNotBegun;
        }
        unrevoked().find_map(|license| license.barred).unwrap_or(Code::LicenseRevoked)
    }

    fn nothing_in_force(&self, asker: &Asker<'_>, instant: Timestamp) -> Denied<'_> {
        let reason = self.why_none(instant);
        let names = |license: &&StandingLicense| license.entitlement(asker).is_some();
        let meant = || self.licenses.iter().filter(|license| license.why_not() == reason);
        let named = meant().find(names);
        let telling = match (named, reason) {
            (None, _) => Telling::NothingInForce,
            (Some(_), Code::LicenseRevoked) => Telling::Revoked,
            (Some(_), Code::LicenseNotBegun) => Telling::NotBegun,
            (Some(_), _) => Telling::Barred,
        };
        Denied { telling, reason, license: named.or_else(|| meant().next()) }
    }
}

impl Held<'_> {
    /// The grant, ready to weigh its quota.
    #[inline]
    pub(crate) fn grant(&self, quota_time: Timestamp) -> Grant {
        let Self { license, granted, coverage, verdict, mode } = self;
        let timeline = granted.timeline_for(*coverage);
        Grant {
            mode: *mode,
            phase: verdict.phase,
            valid_until: verdict.ends,
            limits: granted.limits.clone(),
            license_id: license.license_id,
            serial: license.serial,
            product: license.product.clone(),
            counter: granted.metered_at(quota_time, verdict.phase, timeline),
            audit: license.audit,
        }
    }
}

impl Denied<'_> {
    /// No license at all stands behind it.
    pub(crate) const WITHOUT_LICENSE: Self = Self {
        telling: Telling::NothingInForce,
        // Contract v0.2: no verified document means no, with mode none.
        reason: Code::LicenseMissing,
        license: None,
    };

    /// The refusal as it is answered.
    pub(crate) fn refused(&self) -> Refused {
        let Some(license) = self.license else { return Refused::without_license(self.reason) };
        Refused {
            reason: self.reason,
            mode: Mode::None,
            product: Some(license.product.clone()),
            license_id: Some(license.license_id),
            serial: Some(license.serial),
            records: license.audit.denied,
        }
    }
}
