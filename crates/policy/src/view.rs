//! View: every line and license as it stands, for people and for the metric of the next end.

use std::sync::Arc;

use farhold_bundle::Positive;
use farhold_contract::{
    Sha256Digest, Timestamp,
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
    /// Whether it is the one in force in its line; one that ended may be.
    pub in_force: bool,
}

impl PolicyState {
    /// Every line with every license, by tenant and product.
    pub fn lines(&self, now: &Now) -> Vec<LineView> {
        let lines = self.tenants.iter().flat_map(|(id, lines)| lines.iter().map(|l| (*id, l)));
        lines.map(|(tenant_id, line)| line.view(tenant_id, now.instant)).collect()
    }

    /// Seconds to the earliest signed end among the lines, negative past it; absent without one.
    ///
    /// A renewal that waits and begins before the end counts: the line ends when it does.
    pub fn expires_in(&self, now: &Now) -> Option<i64> {
        let lines = self.tenants.values().flatten();
        let end = lines.filter_map(|line| line.covered_until(now.instant)).min()?;
        Some((end.as_ms() - now.instant.as_ms()).div_euclid(1000))
    }
}

impl Line {
    /// The signed end of the license in force, or of the last one that follows it without a gap.
    pub(crate) fn covered_until(&self, instant: Timestamp) -> Option<Timestamp> {
        let mut holds = self.in_force(instant)?;
        while let Some(next) = self.successor_of(holds) {
            holds = next;
        }
        holds.timeline.ends
    }

    /// The license that takes over before `license` ends, if one waits.
    pub(crate) fn successor_of(&self, license: &StandingLicense) -> Option<&StandingLicense> {
        let end = license.timeline.ends.unwrap_or(Timestamp::MAX);
        let later = self.licenses.iter().take_while(|next| next.serial > license.serial);
        later.filter(|next| !next.revoked).find(|next| next.timeline.begins <= end)
    }

    fn view(&self, tenant_id: TenantId, instant: Timestamp) -> LineView {
        let in_force = self.in_force(instant).map(|license| license.serial);
        let license = |license: &StandingLicense| LicenseView {
            license_id: license.license_id,
            serial: license.serial,
            sha256: license.sha256,
            issued_to: license.issued_to.clone(),
            tenant_id,
            product: license.product.clone(),
            phase: license.timeline.phase_at(instant),
            timeline: license.timeline,
            revoked: license.revoked,
            in_force: in_force == Some(license.serial),
        };
        LineView {
            tenant_id,
            product: self.product.clone(),
            licenses: self.licenses.iter().map(license).collect(),
        }
    }
}
