//! Granted: one entitlement of a standing license, with everything that time doesn't change.

use std::{collections::BTreeMap, sync::Arc};

use jiff::tz::TimeZone;

use farhold_bundle::{
    Positive,
    payload::{Entitlement, License},
};
use farhold_contract::{
    Timestamp,
    model::{Limits, RuntimeType},
};

use crate::{
    counter::{CounterKey, CounterScope, Metered},
    ladder::{Phase, Timeline},
    scope::Scope,
    standing_license::Coverage,
    window::Window,
};

/// One entitlement.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) feature: Arc<str>,
    pub(crate) scope: Scope,
    pub(crate) limits: Limits,
    /// Its own end, where it has one.
    pub(crate) valid_until: Option<Timestamp>,
    has_own_ladder: bool,
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

/// What the entitlements of one license share: worked out once, not ten thousand times.
pub(crate) struct Shared<'l> {
    license: &'l License,
    product: Arc<str>,
    whole: Timeline,
    end_zone: TimeZone,
    windows: BTreeMap<&'l str, Arc<Window>>,
}

impl<'l> Shared<'l> {
    pub(crate) fn new(license: &'l License, product: Arc<str>, whole: Timeline) -> Self {
        let end_zone = license.end_zone();
        Self { license, product, whole, end_zone, windows: BTreeMap::new() }
    }

    /// One of the license's entitlements, ready to answer.
    pub(crate) fn grant(&mut self, entitlement: &'l Entitlement) -> Granted {
        let feature: Arc<str> = entitlement.feature.as_str().into();
        let limits = &entitlement.limits;
        let of = |whole| Timeline::within(whole, self.license, entitlement, &self.end_zone);
        let (timeline, released) = (of(self.whole), of(self.whole.without_its_end()));
        Granted {
            scope: Scope::of(entitlement),
            limits: Limits {
                quota: limits.quota.map(Positive::as_u64),
                time_window: limits.time_window.as_ref().map(ToString::to_string),
            },
            valid_until: entitlement.valid_until,
            has_own_ladder: entitlement.ladder.is_some(),
            timeline,
            released,
            meter: limits.quota.map(|quota| self.meter(entitlement, &feature, quota)),
            feature,
        }
    }

    fn meter(
        &mut self,
        entitlement: &'l Entitlement,
        feature: &Arc<str>,
        quota: Positive,
    ) -> Meter {
        let limits = &entitlement.limits;
        Meter {
            key: CounterKey {
                tenant_id: self.license.tenant.tenant_id,
                feature: feature.clone(),
                scope: match &limits.time_window {
                    None => CounterScope::Lifetime(self.license.license_id),
                    Some(window) => CounterScope::Window {
                        product: self.product.clone(),
                        window: window.as_str().into(),
                    },
                },
            },
            quota: quota.as_u64(),
            overage: limits.overage.map_or(0, Positive::as_u64),
            window: limits.time_window.as_ref().map(|period| {
                let made = || Arc::new(Window::of(self.license, period));
                self.windows.entry(period.as_str()).or_insert_with(made).clone()
            }),
        }
    }
}

impl Granted {
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
        match self.scope {
            Scope::Everyone => true,
            Scope::Type(own) => own == kind,
            Scope::Runtime(_) => false,
        }
    }

    /// Whether it may change its phase at another instant than its license.
    pub(crate) const fn has_its_own_course(&self) -> bool {
        self.valid_until.is_some() || self.has_own_ladder
    }
}
