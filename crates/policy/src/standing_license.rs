//! Standing license: one serial of a license, indexed so that its size doesn't slow a decision.

use std::{collections::HashMap, sync::Arc};

use semver::{Version, VersionReq};

use farhold_bundle::{
    Positive, Verified,
    payload::{License, Revocations},
};
use farhold_contract::{
    Code, Date, Sha256Digest, Timestamp,
    id::{LicenseId, RuntimeId},
    mode::Mode,
    model::RuntimeType,
};

use crate::{
    grant::AuditDuties,
    granted::{Granted, Shared},
    ladder::{Phase, Timeline},
    outlook::Verdict,
    question::{Asker, Link, RuntimeFacts},
    scope::Scope,
};

/// One serial of a license.
#[derive(Debug)]
pub(crate) struct StandingLicense {
    pub(crate) license_id: LicenseId,
    pub(crate) serial: Positive,
    pub(crate) sha256: Sha256Digest,
    pub(crate) product: Arc<str>,
    pub(crate) revoked: bool,
    /// Why this site does not admit it, if it does not.
    pub(crate) barred: Option<Code>,
    pub(crate) timeline: Timeline,
    pub(crate) audit: AuditDuties,
    /// In the order of the document.
    pub(crate) entitlements: Vec<Granted>,
    pub(crate) released_before: Option<Date>,
    versions: Option<VersionReq>,
    /// What its vendor signed.
    pub(crate) document: Verified<License>,
    /// Only looked up, never walked.
    features: HashMap<Arc<str>, Scopes>,
}

/// The entitlements to one feature, by for whom they are: places in the list of all.
#[derive(Debug, Default)]
struct Scopes {
    by_runtime: HashMap<RuntimeId, usize>,
    by_type: HashMap<RuntimeType, usize>,
    unscoped: Option<usize>,
}

/// How a license covers a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coverage {
    /// Not at all.
    No,
    /// To the license's end.
    ToTheEnd,
    /// Without end: it was released before the license's day.
    WithoutEnd,
}

impl StandingLicense {
    pub(crate) fn new(
        license: &Verified<License>,
        barred: Option<Code>,
        revocations: Option<&Revocations>,
    ) -> Self {
        let product: Arc<str> = license.product.as_str().into();
        let timeline = Timeline::of_license(license);
        let mut shared = Shared::new(license, product.clone(), timeline);
        let mut features: HashMap<Arc<str>, Scopes> = HashMap::new();
        let mut entitlements = Vec::with_capacity(license.entitlements.len());
        for (place, entitlement) in license.entitlements.iter().enumerate() {
            let granted = shared.grant(entitlement);
            features.entry(granted.feature.clone()).or_default().add(granted.scope, place);
            entitlements.push(granted);
        }
        Self {
            license_id: license.license_id,
            serial: license.serial,
            sha256: license.sha256(),
            product,
            revoked: revocations.is_some_and(|list| list.revokes(license)),
            barred,
            timeline,
            audit: AuditDuties::from(&license.audit),
            entitlements,
            released_before: license.released_before,
            versions: license.versions.clone(),
            document: license.clone(),
            features,
        }
    }

    /// Whether it counts in its line: neither revoked nor barred.
    pub(crate) const fn counts(&self) -> bool {
        !self.revoked && self.barred.is_none()
    }

    /// Whether it may be in force: begun, and neither revoked nor barred. Its end plays no part.
    pub(crate) fn may_hold_at(&self, instant: Timestamp) -> bool {
        self.counts() && self.has_begun_at(instant)
    }

    pub(crate) fn has_begun_at(&self, instant: Timestamp) -> bool {
        self.timeline.begins <= instant
    }

    /// Why it is not in force, where its line has none in force.
    pub(crate) fn why_not(&self) -> Code {
        let unbarred = self.barred.unwrap_or(Code::LicenseNotBegun);
        if self.revoked { Code::LicenseRevoked } else { unbarred }
    }

    /// The entitlement to a feature for whoever asks: a runtime's own before its type's before
    /// everyone's.
    #[inline]
    pub(crate) fn entitlement(&self, asker: &Asker<'_>) -> Option<&Granted> {
        let place = self.features.get(asker.feature)?.place_for(asker)?;
        self.entitlements.get(place)
    }

    /// What it says of one of its entitlements to a runtime so covered: every answer and every
    /// outlook comes from here.
    #[inline]
    pub(crate) fn verdict(
        &self,
        granted: &Granted,
        coverage: Coverage,
        instant: Timestamp,
        link: Link,
    ) -> Verdict {
        let timeline = granted.timeline_for(coverage);
        let phase = timeline.phase_at(instant);
        let answer = match mode_of(phase, link) {
            _ if coverage == Coverage::No => Err(Code::LicenseVersion),
            Some(mode) => Ok(mode),
            None => Err(self.end_reason(granted, coverage, instant)),
        };
        Verdict { phase, ends: timeline.ends, answer }
    }

    /// What it says as a whole.
    pub(crate) fn verdict_as_a_whole(&self, instant: Timestamp, link: Link) -> Verdict {
        let phase = self.timeline.phase_at(instant);
        let answer = mode_of(phase, link).ok_or(Code::LicenseExpired);
        Verdict { phase, ends: self.timeline.ends, answer }
    }

    /// Whether and how long it covers the runtime's version.
    pub(crate) fn coverage(&self, runtime: &RuntimeFacts) -> Coverage {
        if !covers(self.versions.as_ref(), &runtime.version) {
            return Coverage::No;
        }
        self.coverage_by_release(runtime.released_on)
    }

    /// Whether and how long it covers a version released on that day.
    pub(crate) fn coverage_by_release(&self, released_on: Option<Date>) -> Coverage {
        let Some(before) = self.released_before else { return Coverage::ToTheEnd };
        if released_on.is_some_and(|released| released < before) {
            Coverage::WithoutEnd
        } else if self.timeline.ends.is_some() {
            Coverage::ToTheEnd
        } else {
            // A license without an end is for what was released before its day, and nothing else.
            Coverage::No
        }
    }

    /// Whether it was the license that ended, or one entitlement before it.
    fn end_reason(&self, granted: &Granted, coverage: Coverage, instant: Timestamp) -> Code {
        let ends_itself = granted.valid_until.is_some();
        let whole = coverage == Coverage::ToTheEnd
            && (!ends_itself || self.timeline.phase_at(instant) == Phase::Stopped);
        if whole { Code::LicenseExpired } else { Code::EntitlementExpired }
    }
}

/// Whether a range covers a version; one that is not semver is in no range (`bundle.md` §4.7).
pub(crate) fn covers(range: Option<&VersionReq>, version: &str) -> bool {
    let matches =
        |range: &VersionReq| Version::parse(version).is_ok_and(|version| range.matches(&version));
    range.is_none_or(matches)
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

impl Scopes {
    fn add(&mut self, scope: Scope, place: usize) {
        // License::check has seen to it that no scope is taken twice.
        match scope {
            Scope::Runtime(runtime_id) => {
                self.by_runtime.insert(runtime_id, place);
            }
            Scope::Type(kind) => {
                self.by_type.insert(kind, place);
            }
            Scope::Everyone => self.unscoped = Some(place),
        }
    }

    fn place_for(&self, asker: &Asker<'_>) -> Option<usize> {
        let own = asker.runtime_id.and_then(|id| self.by_runtime.get(&id));
        own.or_else(|| self.by_type.get(&asker.runtime.runtime_type)).copied().or(self.unscoped)
    }
}
