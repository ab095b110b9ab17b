//! Documents: the vendor's word as it stands at the Kernel, indexed for every use of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use farhold_api::FlagsMemo;
use farhold_bundle::{
    SiteFacts, Standing, Verified,
    payload::{Binding, License, SiteMode},
};
use farhold_contract::{Code, id::TenantId};
use farhold_policy::PolicyState;

use crate::sending::Sending;

/// Policies kept ready: as many machines with licenses of their own as are likely to ask the Kernel
/// itself. One beyond it is made again each time.
const KEPT_POLICIES: usize = 1024;

/// The documents that stand; a snapshot never changes.
pub struct Documents {
    /// Every root, the revocations, every license.
    pub standing: Standing,
    /// What of them sites are sent.
    pub(crate) sending: Sending,
    /// What products were told of their flags: by license and serial, which are one document here,
    /// whatever machine it is bound to.
    pub(crate) flags: FlagsMemo,
    /// The same, ready to answer whoever is at no machine.
    nowhere: Arc<PolicyState>,
    /// The licenses of each tenant that are bound to machines, by their place in the standing.
    bound: BTreeMap<TenantId, Vec<usize>>,
    /// By the bound licenses that a machine holds.
    at_machines: Mutex<BTreeMap<Vec<usize>, Arc<PolicyState>>>,
}

impl Documents {
    /// Indexes what stands.
    pub fn new(standing: Standing) -> Self {
        let (mut admitted, mut barred) = (Vec::new(), Vec::new());
        let mut bound: BTreeMap<TenantId, Vec<usize>> = BTreeMap::new();
        for (at, license) in standing.licenses().iter().enumerate() {
            let Some(code) = barred_nowhere(license) else {
                admitted.push(license);
                continue;
            };
            barred.push((license, code));
            if code == Code::LicenseBinding {
                bound.entry(license.tenant.tenant_id).or_default().push(at);
            }
        }
        let nowhere = PolicyState::with_barred(admitted, barred, standing.revocations());
        let sending = Sending::new(&standing);
        let (flags, at_machines) = (FlagsMemo::default(), Mutex::default());
        Self { standing, sending, flags, nowhere: Arc::new(nowhere), bound, at_machines }
    }

    /// What answers a runtime that is linked to the Kernel itself. It is at no machine that anybody
    /// knows: what is bound to one, or is for detached sites alone, does not speak for it.
    pub fn policy_nowhere(&self) -> Arc<PolicyState> {
        Arc::clone(&self.nowhere)
    }

    /// What answers a runtime of an organization at the machine of an agent: what is bound to that
    /// machine speaks for it, too.
    pub(crate) fn policy_at(&self, tenant_id: TenantId, site: &SiteFacts) -> Arc<PolicyState> {
        let licenses = self.standing.licenses();
        let bound = self.bound.get(&tenant_id).into_iter().flatten().copied();
        let here: Vec<usize> = bound.filter(|&at| site.admits(&licenses[at]).is_ok()).collect();
        if here.is_empty() {
            return self.policy_nowhere();
        }
        // Each change is one insert: whole, whatever happened to its thread.
        let mut made = self.at_machines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = made.get(&here) {
            return Arc::clone(policy);
        }
        // As at the site itself, which is sent nothing that is bound elsewhere.
        let own = licenses.iter().filter(|license| license.tenant.tenant_id == tenant_id);
        let anywhere = own.filter(|license| barred_nowhere(license).is_none());
        let standing_here = anywhere.chain(here.iter().map(|&at| &licenses[at]));
        let policy = Arc::new(PolicyState::new(standing_here, self.standing.revocations()));
        if made.len() < KEPT_POLICIES {
            made.insert(here, Arc::clone(&policy));
        }
        policy
    }
}

/// Why a license does not speak for a runtime that is at no machine, if it does not (`bundle.md`
/// §4.2).
fn barred_nowhere(license: &Verified<License>) -> Option<Code> {
    if !license.modes.contains(&SiteMode::Managed) {
        return Some(Code::LicenseMode);
    }
    match license.binding {
        Some(Binding::DeviceKey(_) | Binding::Fingerprint(_)) => Some(Code::LicenseBinding),
        Some(Binding::None) | None => None,
    }
}
