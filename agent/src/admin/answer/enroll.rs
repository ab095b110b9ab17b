//! What an enrollment came to.

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Timestamp,
    id::{RuntimeId, TenantId},
};

/// `POST /admin/enroll`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrollAnswer {
    /// The Kernel's base URL.
    pub kernel: String,
    /// The organizations of the site; the first is the agent's own.
    pub tenants: Vec<TenantId>,
    /// The agent, as the Kernel knows it.
    pub runtime_id: RuntimeId,
    /// When its certificate ends; it is renewed long before.
    pub certificate_ends: Timestamp,
}
