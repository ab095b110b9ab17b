//! Fixed facts: what a site is for as long as the process runs.

use std::collections::BTreeSet;

use farhold_bundle::{PublicKey, SiteFacts, payload::SiteMode};
use farhold_contract::id::TenantId;

use crate::machine::{MachineState, Released};

/// What a site is for as long as the process runs; a snapshot has the rest.
#[derive(Debug, Clone)]
pub struct FixedFacts {
    /// How it is linked to the Kernel.
    pub mode: SiteMode,
    /// The organizations it serves.
    pub tenants: BTreeSet<TenantId>,
    /// The agent's own key.
    pub device_key: PublicKey,
}

impl FixedFacts {
    /// The site as licenses are held to it.
    pub fn with(
        &self,
        machine: &MachineState,
        released: Released,
        open_nonce: Option<String>,
    ) -> SiteFacts {
        SiteFacts {
            mode: self.mode,
            tenants: self.tenants.clone(),
            device_key: self.device_key.clone(),
            fingerprint: machine.fingerprint(),
            open_nonce,
            released,
        }
    }
}
