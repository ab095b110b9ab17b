//! What a license must be to be taken at one site (`bundle.md` §4.2).

use std::collections::{BTreeMap, BTreeSet};

use farhold_contract::{
    Code, Timestamp,
    id::{RuntimeId, TenantId},
    model::RuntimeType,
};

use super::ImportPlan;
use crate::{
    error::RefusalReason,
    key::PublicKey,
    payload::{Binding, License, SiteMode},
    standing::{LineKey, Standing},
    verified::Verified,
};

/// What a site is.
#[derive(Debug, Clone)]
pub struct SiteFacts {
    /// How it is linked to the Kernel.
    pub mode: SiteMode,
    /// The organizations it serves.
    pub tenants: BTreeSet<TenantId>,
    /// The agent's own key.
    pub device_key: PublicKey,
    /// Each component it can read, with its salted hash.
    pub fingerprint: BTreeMap<String, String>,
    /// The nonce of the one open request, if any.
    pub open_nonce: Option<String>,
}

impl SiteFacts {
    /// Whether a license may be in force here: tenant, mode, binding. Also asked at every start.
    ///
    /// # Errors
    /// `tenant.mismatch`, `license.mode_mismatch`, `license.binding_mismatch`.
    pub fn admits(&self, license: &License) -> Result<(), RefusalReason> {
        let tenant_id = license.tenant.tenant_id;
        if !self.tenants.contains(&tenant_id) {
            let detail =
                format!("issued to {} ({tenant_id}), which is not served here", license.issued_to);
            return Err(RefusalReason::rule(Code::TenantMismatch, detail));
        }
        if !license.modes.contains(&self.mode) {
            let detail = format!("not for a {} site", self.mode.as_str());
            return Err(RefusalReason::rule(Code::LicenseMode, detail));
        }
        match &license.binding {
            Some(Binding::DeviceKey(key)) if *key != self.device_key => {
                let detail = format!("bound to device {key}; this one is {}", self.device_key);
                Err(RefusalReason::rule(Code::LicenseBinding, detail))
            }
            Some(Binding::Fingerprint(bound)) if !bound.holds(&self.fingerprint) => {
                let matches = bound.matches(&self.fingerprint);
                let detail = format!(
                    "{matches} of the {} components needed are those of this machine",
                    bound.require
                );
                Err(RefusalReason::rule(Code::LicenseBinding, detail))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn accepts(
        &self,
        license: &Verified<License>,
        after: &Standing,
    ) -> Result<(), RefusalReason> {
        self.admits(license)?;
        let root = after.root().map_or(0, crate::TrustRoot::version);
        let generation =
            after.revocations().map_or(0, |revocations| revocations.generation.as_u64());
        for (what, has, needs) in [
            ("root", root, license.needs.root.as_u64()),
            ("revocations generation", generation, license.needs.revocations.as_u64()),
        ] {
            if has < needs {
                let detail =
                    format!("the license needs {what} {needs}; this site would stand at {has}");
                return Err(RefusalReason::rule(Code::BundleIncomplete, detail));
            }
        }
        Ok(())
    }

    pub(super) fn accepts_rest(&self, plan: &ImportPlan) -> Result<(), RefusalReason> {
        if plan.receipts.iter().any(|receipt| receipt.device_key != self.device_key) {
            return Err(RefusalReason::rule(
                Code::ReceiptForeign,
                "the receipt is for another agent",
            ));
        }
        if let Some(reset) = &plan.clock_reset
            && (reset.device_key != self.device_key
                || self.open_nonce.as_deref() != Some(reset.nonce.as_str()))
        {
            return Err(RefusalReason::rule(
                Code::ClockResetForeign,
                "the clock reset answers no open request",
            ));
        }
        Ok(())
    }
}

/// Refuses two products of one organization granting one feature to one runtime: the question
/// "may it?" must have one license that answers.
pub(super) fn require_distinct_features(
    standing: &Standing,
    now: Timestamp,
) -> Result<(), RefusalReason> {
    type Scope = (Option<RuntimeType>, Option<RuntimeId>);
    let mut grants: BTreeMap<(TenantId, &str), Vec<(&str, Scope)>> = BTreeMap::new();
    for license in may_come_into_force(standing, now) {
        for entitlement in &license.entitlements {
            let granted =
                grants.entry((license.tenant.tenant_id, &entitlement.feature)).or_default();
            let scope = (entitlement.runtime_type, entitlement.runtime_id);
            let overlaps =
                |other: &Scope| scope == *other || scope == (None, None) || *other == (None, None);
            if let Some((other, _)) = granted
                .iter()
                .find(|(product, other)| *product != license.product && overlaps(other))
            {
                let detail = format!(
                    "{} is granted by {other} and by {}",
                    entitlement.feature, license.product
                );
                return Err(RefusalReason::rule(Code::LicenseFeatureConflict, detail));
            }
            granted.push((&license.product, scope));
        }
    }
    Ok(())
}

/// In each line the license in force and every one that waits; not what they superseded.
fn may_come_into_force(
    standing: &Standing,
    now: Timestamp,
) -> impl Iterator<Item = &Verified<License>> {
    let holds = |license: &&Verified<License>| !standing.revokes(license);
    let mut in_force: BTreeMap<LineKey, u64> = BTreeMap::new();
    for license in
        standing.licenses().iter().filter(holds).filter(|license| license.not_before <= now)
    {
        in_force.insert(LineKey::of(license), license.serial.as_u64());
    }
    standing.licenses().iter().filter(holds).filter(move |license| {
        in_force.get(&LineKey::of(license)).is_none_or(|&serial| license.serial.as_u64() >= serial)
    })
}
