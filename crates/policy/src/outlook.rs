//! Outlook: what every line and entitlement says at one instant, by the rules that decide.

use std::sync::Arc;

use farhold_bundle::Positive;
use farhold_contract::{
    Code, Timestamp,
    id::{LicenseId, TenantId},
    mode::Mode,
};

use crate::{
    clock::Now,
    ladder::{Phase, Timeline},
    line::Line,
    question::Link,
    scope::{EntitlementLimits, Scope},
    standing_license::{Coverage, StandingLicense},
    state::PolicyState,
};

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOutlook {
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: Arc<str>,
    /// The license in force, or why there is none.
    pub standing: Result<LicenseOutlook, Code>,
    /// The serial that takes over next, and when.
    pub next: Option<(Positive, Timestamp)>,
}

/// What the license in force says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseOutlook {
    /// The contract.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: Positive,
    /// Where it stands as a whole.
    pub verdict: Verdict,
    /// The instants of its ladder.
    pub timeline: Timeline,
    /// Its entitlements, in its own order.
    pub entitlements: Vec<EntitlementOutlook>,
}

/// What one entitlement of the license in force says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitlementOutlook {
    /// The feature.
    pub feature: Arc<str>,
    /// For whom.
    pub scope: Scope,
    /// How much.
    pub limits: EntitlementLimits,
    /// What it says to runtimes of a covered version that state no release day.
    pub verdict: Verdict,
    /// What it says to runtimes that the license covers without end, where it covers any.
    pub released: Option<Verdict>,
}

/// Where something stands, and what a check is therefore answered. What has been used of a quota
/// and what the Kernel took away come on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The phase.
    pub phase: Phase,
    /// The signed end; absent: none.
    pub ends: Option<Timestamp>,
    /// The mode of the answer, or the code of the refusal.
    pub answer: Result<Mode, Code>,
}

impl PolicyState {
    /// What every line says at an instant, by tenant and product.
    pub fn outlook(&self, now: &Now, link: Link) -> Vec<LineOutlook> {
        let lines = self.tenants.iter().flat_map(|(id, lines)| lines.iter().map(|l| (*id, l)));
        lines.map(|(tenant_id, line)| line.outlook(tenant_id, now.instant, link)).collect()
    }
}

impl Line {
    fn outlook(&self, tenant_id: TenantId, instant: Timestamp, link: Link) -> LineOutlook {
        let in_force = self.in_force(instant).map(|license| license.outlook(instant, link));
        let next = self.reigns().into_iter().find(|reign| reign.from > instant);
        LineOutlook {
            tenant_id,
            product: self.product.clone(),
            standing: in_force.ok_or_else(|| self.why_none(instant)),
            next: next.map(|reign| (reign.license.serial, reign.from)),
        }
    }
}

impl StandingLicense {
    fn outlook(&self, instant: Timestamp, link: Link) -> LicenseOutlook {
        let undated = self.coverage_by_release(None);
        let signed = self.document.entitlements.iter();
        let both = signed.zip(&self.entitlements);
        let entitlements = both.map(|(signed, granted)| EntitlementOutlook {
            feature: granted.feature.clone(),
            scope: granted.scope,
            limits: EntitlementLimits::from(signed),
            verdict: self.verdict(granted, undated, instant, link),
            released: self
                .released_before
                .map(|_| self.verdict(granted, Coverage::WithoutEnd, instant, link)),
        });
        LicenseOutlook {
            license_id: self.license_id,
            serial: self.serial,
            verdict: self.verdict_as_a_whole(instant, link),
            timeline: self.timeline,
            entitlements: entitlements.collect(),
        }
    }
}
