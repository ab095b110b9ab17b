//! Identity: someone an identity provider vouched for, mapped to roles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{IdentityId, TenantId};

/// Someone, as contract v0.1 states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The identity at the Kernel.
    pub identity_id: IdentityId,
    /// The organization it acts in.
    pub tenant_id: TenantId,
    /// Its name at the provider.
    pub external_id: String,
    /// Who vouched for it.
    pub provider: Provider,
    /// The organization's roles it maps to.
    pub roles: Vec<String>,
    /// What else the provider said.
    pub attributes: BTreeMap<String, String>,
}

/// Who vouches for an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// The organization's own directory.
    Local,
    /// Google.
    Google,
    /// Microsoft Entra ID.
    AzureAd,
    /// A SAML provider.
    Saml,
    /// An OpenID Connect provider.
    Oidc,
}
