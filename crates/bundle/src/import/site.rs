//! What a license must be to be taken at one site (`bundle.md` §4.2).

use std::collections::{BTreeMap, BTreeSet};

use farhold_contract::{
    Code,
    id::{LicenseId, TenantId},
};

use super::ImportPlan;
use crate::{
    error::RefusalReason,
    key::PublicKey,
    number::Positive,
    payload::{Binding, ClockReset, License, SiteMode},
    standing::Standing,
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
    /// Each component of the machine with its salted hash; of one that can't be read, the hash read
    /// last.
    pub fingerprint: BTreeMap<String, String>,
    /// The nonce of the one open request, if any.
    pub open_nonce: Option<String>,
    /// Licenses given up at this machine, each with the last serial that was.
    pub released: BTreeMap<LicenseId, Positive>,
}

impl SiteFacts {
    /// Whether a license may be in force here: tenant, mode, given up, binding. Also asked at every
    /// start.
    ///
    /// # Errors
    /// `tenant.mismatch`, `license.mode_mismatch`, `license.released`, `license.binding_mismatch`.
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
        if self.has_released(license) {
            let detail = format!("serial {} was given up at this machine", license.serial);
            return Err(RefusalReason::rule(Code::LicenseReleased, detail));
        }
        match &license.binding {
            Some(Binding::DeviceKey(key)) if *key != self.device_key => {
                let detail = format!(
                    "issued to {} for the agent with device key {key}; this agent's is {}",
                    license.issued_to, self.device_key
                );
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

    /// Whether this machine gave it up, in this serial or a later one (`bundle.md` §7.3).
    pub(super) fn has_released(&self, license: &License) -> bool {
        self.released.get(&license.license_id).is_some_and(|&last| license.serial <= last)
    }

    /// Whether a clock reset answers this agent's open request (`bundle.md` §5.6).
    pub(super) fn awaits(&self, reset: &ClockReset) -> bool {
        reset.device_key == self.device_key
            && self.open_nonce.as_deref() == Some(reset.nonce.as_str())
    }

    pub(super) fn accepts(
        &self,
        license: &Verified<License>,
        after: &Standing,
    ) -> Result<(), RefusalReason> {
        self.admits(license)?;
        after.meets(&license.needs)
    }

    pub(super) fn accepts_rest(&self, plan: &ImportPlan) -> Result<(), RefusalReason> {
        if plan.receipts.iter().any(|receipt| receipt.device_key != self.device_key) {
            return Err(RefusalReason::rule(
                Code::ReceiptForeign,
                "the receipt is for another agent",
            ));
        }
        if plan.clock_reset.as_ref().is_some_and(|reset| !self.awaits(reset)) {
            return Err(RefusalReason::rule(
                Code::ClockResetForeign,
                "the clock reset answers no open request",
            ));
        }
        Ok(())
    }
}
