//! View: every line and license as it stands, for people and for the metric of the next end.

use std::sync::Arc;

use farhold_bundle::Positive;
use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    id::{LicenseId, TenantId},
};

use crate::{
    clock::Now,
    ladder::{Phase, Timeline},
    line::Line,
    standing_license::StandingLicense,
    state::PolicyState,
};

/// One line: what a tenant has of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineView {
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: Arc<str>,
    /// Its licenses, the highest serial first.
    pub licenses: Vec<LicenseView>,
}

/// One serial of a license as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseView {
    /// The contract.
    pub license_id: LicenseId,
    /// Its revision.
    pub serial: Positive,
    /// The identity of the document.
    pub sha256: Sha256Digest,
    /// Whom it was issued to.
    pub issued_to: Box<str>,
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: Arc<str>,
    /// Where it stands by its own ladder, revoked or not.
    pub phase: Phase,
    /// The instants of its ladder.
    pub timeline: Timeline,
    /// Whether the revocations in force name it.
    pub revoked: bool,
    /// Why the site does not admit it, if it does not.
    pub barred: Option<Code>,
    /// Whether it is the one in force in its line; one that ended may be.
    pub in_force: bool,
    /// From when on it is, was or will be the one in force; absent: never.
    pub in_force_from: Option<Timestamp>,
    /// Where the next serial takes its place; absent: none does.
    pub in_force_until: Option<Timestamp>,
}

impl PolicyState {
    /// Every line with every license, by tenant and product.
    pub fn lines(&self, now: &Now) -> Vec<LineView> {
        let lines = self.tenants.iter().flat_map(|(id, lines)| lines.iter().map(|l| (*id, l)));
        lines.map(|(tenant_id, line)| line.view(tenant_id, now.instant)).collect()
    }

    /// Seconds to the earliest signed end among the lines, negative past it; absent without one.
    ///
    /// A renewal that waits and begins before the end counts: the line ends when it does. Of what
    /// is still to come, it is the first milestone at which a whole license ends.
    pub fn expires_in(&self, now: &Now) -> Option<i64> {
        let lines = self.tenants.values().flatten();
        let end = lines.filter_map(|line| line.covered_until(now.instant)).min()?;
        Some((end.as_ms() - now.instant.as_ms()).div_euclid(1000))
    }
}

impl Line {
    fn view(&self, tenant_id: TenantId, instant: Timestamp) -> LineView {
        let reigns = self.reigns();
        let license = |license: &StandingLicense| {
            let reign = reigns.iter().find(|reign| std::ptr::eq(reign.license, license));
            LicenseView {
                license_id: license.license_id,
                serial: license.serial,
                sha256: license.sha256,
                issued_to: license.document.issued_to.as_str().into(),
                tenant_id,
                product: license.product.clone(),
                phase: license.timeline.phase_at(instant),
                timeline: license.timeline,
                revoked: license.revoked,
                barred: license.barred,
                in_force: reign.is_some_and(|reign| reign.holds_at(instant)),
                in_force_from: reign.map(|reign| reign.from),
                in_force_until: reign.and_then(|reign| reign.until),
            }
        };
        LineView {
            tenant_id,
            product: self.product.clone(),
            licenses: self.licenses.iter().map(license).collect(),
        }
    }
}
