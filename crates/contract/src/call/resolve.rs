//! `POST /kernel/identity/resolve`: from a provider's token to an identity and what it may use.

use serde::{Deserialize, Serialize};

use crate::{
    id::TenantId,
    model::{Entitlement, Identity},
};

/// Whose token is to be resolved. No `Debug`: the token is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveRequest {
    /// The organization in whose context.
    pub tenant_id: TenantId,
    /// The provider's token.
    pub external_token: String,
}

/// Who it is and what it may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolveResponse {
    /// Who it is.
    pub identity: Identity,
    /// What it may use.
    pub entitlements: Vec<Entitlement>,
}
