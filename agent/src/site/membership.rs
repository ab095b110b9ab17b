//! Membership: for whom an agent works, as its configuration or its enrollment says.

use serde::{Deserialize, Serialize};

use farhold_bundle::payload::SiteMode;
use farhold_contract::id::{RuntimeId, TenantId};
use farhold_store::{Store, StoreError};

use crate::{config::Config, link::Enrollment};

/// Under which name the store keeps for whom the agent works.
const MEMBERSHIP: &str = "membership";

/// For whom an agent works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The organizations of the site; the first is the agent's own. Never empty.
    pub tenants: Vec<TenantId>,
    /// The agent as its Kernel knows it; none at a detached site.
    pub runtime_id: Option<RuntimeId>,
}

/// The agent's standing with its Kernel. A file that can't be used cuts nobody off: what was
/// verified serves without it.
pub(super) fn enrollment(config: &Config) -> Option<Enrollment> {
    if config.mode == Some(SiteMode::Detached) {
        return None;
    }
    Enrollment::load(&config.state_dir).unwrap_or_else(|error| {
        let reason = crate::error_chain(&error).to_string();
        tracing::error!(%reason, action = error.action(), "the standing with the Kernel can't be used");
        None
    })
}

/// For whom the agent works. The database remembers an enrollment, so that a damaged file takes
/// no rights away.
pub(super) fn membership(
    store: &mut Store,
    config: &Config,
    enrollment: Option<&Enrollment>,
) -> Result<Option<Membership>, StoreError> {
    if config.mode == Some(SiteMode::Detached) {
        let tenants = Vec::from_iter(config.tenant_id);
        return Ok(Some(Membership { tenants, runtime_id: None }));
    }
    let known = store.own::<Membership>(MEMBERSHIP)?;
    let Some(enrollment) = enrollment else { return Ok(known) };
    let told =
        Membership { tenants: enrollment.tenants.clone(), runtime_id: Some(enrollment.runtime_id) };
    if known.as_ref() != Some(&told) {
        let mut txn = store.begin()?;
        txn.put_own(MEMBERSHIP, &told)?;
        txn.commit()?;
    }
    Ok(Some(told))
}
