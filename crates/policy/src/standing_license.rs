//! Standing license: one serial of a license, indexed so that its size doesn't slow a decision.

use std::{collections::HashMap, sync::Arc};

use semver::{Version, VersionReq};

use farhold_bundle::{
    Positive, Verified,
    payload::{Entitlement, License, Revocations},
};
use farhold_contract::{
    Date, Sha256Digest, Timestamp,
    id::{LicenseId, RuntimeId},
    model::{Limits, RuntimeType},
};

use crate::{
    counter::{CounterKey, CounterScope, Metered},
    grant::AuditDuties,
    ladder::{Phase, Timeline},
    question::RuntimeFacts,
    window::Window,
};

/// One serial of a license.
#[derive(Debug)]
pub(crate) struct StandingLicense {
    pub(crate) license_id: LicenseId,
    pub(crate) serial: Positive,
    pub(crate) sha256: Sha256Digest,
    pub(crate) issued_to: Box<str>,
    pub(crate) product: Arc<str>,
    pub(crate) revoked: bool,
    pub(crate) timeline: Timeline,
    pub(crate) audit: AuditDuties,
    pub(crate) entitlements: Vec<Granted>,
    pub(crate) released_before: Option<Date>,
    versions: Option<VersionReq>,
    /// Only looked up, never walked.
    features: HashMap<Arc<str>, Scopes>,
}

/// One entitlement.
#[derive(Debug)]
pub(crate) struct Granted {
    /// Only this runtime; with `runtime_type` absent too: every runtime.
    pub(crate) runtime_id: Option<RuntimeId>,
    pub(crate) runtime_type: Option<RuntimeType>,
    pub(crate) limits: Limits,
    /// Whether it has an end of its own.
    pub(crate) ends_itself: bool,
    pub(crate) timeline: Timeline,
    /// Its timeline for a runtime that the license covers without end.
    released: Timeline,
    meter: Option<Meter>,
}

/// The parts of a quota that time doesn't change.
#[derive(Debug)]
struct Meter {
    key: CounterKey,
    quota: u64,
    overage: u64,
    window: Option<Arc<Window>>,
}

/// The entitlements to one feature, by for whom they are: places in the list of all.
#[derive(Debug, Default)]
struct Scopes {
    by_runtime: HashMap<RuntimeId, usize>,
    by_type: HashMap<RuntimeType, usize>,
    unscoped: Option<usize>,
}

/// How a license covers a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Not at all.
    No,
    /// To the license's end.
    ToTheEnd,
    /// Without end: it was released before the license's day.
    WithoutEnd,
}

impl StandingLicense {
    pub(crate) fn new(license: &Verified<License>, revocations: Option<&Revocations>) -> Self {
        let product: Arc<str> = license.product.as_str().into();
        let mut features: HashMap<Arc<str>, Scopes> = HashMap::new();
        let mut entitlements = Vec::with_capacity(license.entitlements.len());
        for (place, entitlement) in license.entitlements.iter().enumerate() {
            let feature: Arc<str> = entitlement.feature.as_str().into();
            entitlements.push(Granted::new(license, entitlement, &product, &feature));
            features.entry(feature).or_default().add(entitlement, place);
        }
        Self {
            license_id: license.license_id,
            serial: license.serial,
            sha256: license.sha256(),
            issued_to: license.issued_to.as_str().into(),
            product,
            revoked: revocations.is_some_and(|list| list.revokes(license)),
            timeline: Timeline::of_license(license),
            audit: AuditDuties::from(&license.audit),
            entitlements,
            released_before: license.released_before,
            versions: license.versions.clone(),
            features,
        }
    }

    /// Whether it may be in force: begun, and not revoked. Its end plays no part.
    pub(crate) fn may_hold_at(&self, instant: Timestamp) -> bool {
        !self.revoked && self.has_begun_at(instant)
    }

    pub(crate) fn has_begun_at(&self, instant: Timestamp) -> bool {
        self.timeline.begins <= instant
    }

    /// The entitlement to a feature for a runtime: its own before its type's before everyone's.
    pub(crate) fn entitlement(&self, feature: &str, runtime: &RuntimeFacts) -> Option<&Granted> {
        let place = self.features.get(feature)?.place_for(runtime)?;
        self.entitlements.get(place)
    }

    /// Whether and how long it covers the runtime's version.
    pub(crate) fn coverage(&self, runtime: &RuntimeFacts) -> Coverage {
        if !self.covers_version(&runtime.version) {
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

    fn covers_version(&self, version: &str) -> bool {
        let covers = |range: &VersionReq| {
            Version::parse(version).is_ok_and(|version| range.matches(&version))
        };
        self.versions.as_ref().is_none_or(covers)
    }
}

impl Granted {
    fn new(
        license: &License,
        entitlement: &Entitlement,
        product: &Arc<str>,
        feature: &Arc<str>,
    ) -> Self {
        let limits = &entitlement.limits;
        Self {
            runtime_id: entitlement.runtime_id,
            runtime_type: entitlement.runtime_type,
            limits: Limits {
                quota: limits.quota.map(Positive::as_u64),
                time_window: limits.time_window.as_ref().map(ToString::to_string),
            },
            ends_itself: entitlement.valid_until.is_some(),
            timeline: Timeline::of_entitlement(license, entitlement),
            released: Timeline::of_released(license, entitlement),
            meter: limits.quota.map(|quota| Meter {
                key: CounterKey {
                    tenant_id: license.tenant.tenant_id,
                    feature: feature.clone(),
                    scope: match &limits.time_window {
                        None => CounterScope::Lifetime(license.license_id),
                        Some(window) => CounterScope::Window {
                            product: product.clone(),
                            window: window.as_str().into(),
                        },
                    },
                },
                quota: quota.as_u64(),
                overage: limits.overage.map_or(0, Positive::as_u64),
                window: limits.time_window.as_ref().map(|w| Arc::new(Window::of(license, w))),
            }),
        }
    }

    /// Its timeline for a runtime so covered.
    pub(crate) const fn timeline_for(&self, coverage: Coverage) -> &Timeline {
        match coverage {
            Coverage::WithoutEnd => &self.released,
            Coverage::ToTheEnd | Coverage::No => &self.timeline,
        }
    }

    /// Its quota as it stands at a quota time, in a phase of one of its timelines.
    pub(crate) fn metered_at(
        &self,
        quota_time: Timestamp,
        phase: Phase,
        timeline: &Timeline,
    ) -> Option<Metered> {
        let meter = self.meter.as_ref()?;
        // bundle.md §4, "Ladder": in the restricted phase no quota begins anew, so the window
        // stays the one that was open just before it.
        let last_ms = timeline.grace_ends.map_or(i64::MAX, |at| at.as_ms().saturating_sub(1));
        let at = quota_time.min(Timestamp::from_ms(last_ms));
        Some(Metered {
            key: meter.key.clone(),
            quota: meter.quota,
            overage: meter.overage,
            span: meter.window.as_ref().map(|window| window.span_at(at)),
            renews: meter.window.is_some() && phase < Phase::Restricted,
            window: meter.window.clone(),
        })
    }

    /// Whether it is for every runtime of a type, known or new.
    pub(crate) fn is_for_type(&self, kind: RuntimeType) -> bool {
        self.runtime_id.is_none() && self.runtime_type.is_none_or(|own| own == kind)
    }
}

impl Scopes {
    fn add(&mut self, entitlement: &Entitlement, place: usize) {
        // License::check has seen to it that no scope is taken twice.
        if let Some(runtime_id) = entitlement.runtime_id {
            self.by_runtime.insert(runtime_id, place);
        } else if let Some(kind) = entitlement.runtime_type {
            self.by_type.insert(kind, place);
        } else {
            self.unscoped = Some(place);
        }
    }

    fn place_for(&self, runtime: &RuntimeFacts) -> Option<usize> {
        let own = self.by_runtime.get(&runtime.runtime_id);
        own.or_else(|| self.by_type.get(&runtime.runtime_type)).copied().or(self.unscoped)
    }
}
