//! Quotas: what the licenses in force count, for whoever reports what has been used.

use std::sync::Arc;

use farhold_contract::id::LicenseId;

use crate::{clock::Now, counter::Metered, state::PolicyState};

/// A quota of a license in force.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotaInForce {
    /// The license.
    pub license_id: LicenseId,
    /// What is counted.
    pub feature: Arc<str>,
    /// The quota as it stands now.
    pub metered: Metered,
}

impl PolicyState {
    /// Every quota of the licenses in force, by tenant and product.
    pub fn quotas(&self, now: &Now) -> Vec<QuotaInForce> {
        let lines = self.tenants.values().flatten();
        let in_force = lines.filter_map(|line| line.in_force(now.instant));
        in_force
            .flat_map(|license| {
                license.entitlements.iter().filter_map(|granted| {
                    let phase = granted.timeline.phase_at(now.instant);
                    let metered = granted.metered_at(now.quota, phase, &granted.timeline)?;
                    let (license_id, feature) = (license.license_id, granted.feature.clone());
                    Some(QuotaInForce { license_id, feature, metered })
                })
            })
            .collect()
    }
}
