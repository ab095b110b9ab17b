//! Identity providers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use farhold_api::present;
use farhold_contract::model::Provider;

/// One identity provider of an organization: both what is asked and what is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderAnswer {
    /// What people call it.
    pub name: String,
    /// What kind of provider it is, as identities show it.
    pub provider: Provider,
    /// The `iss` of its tokens: one provider of an organization has it.
    pub issuer: String,
    /// Whom its tokens must be for.
    pub audience: String,
    /// Its public keys, as a JWK set (RFC 7517). The Kernel never fetches them.
    pub jwks: Map<String, Value>,
    /// How its groups become roles; absent: nobody has any.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub role_map: Option<RoleMapAnswer>,
    /// What else to take from its tokens, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
}

/// How a provider's groups become an organization's roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleMapAnswer {
    /// Where tokens name groups: member names from the outside in.
    pub claim: Vec<String>,
    /// From each group to a role; a group that is not here gives none.
    pub roles: BTreeMap<String, String>,
}

/// `GET /kernel/admin/tenants/{tenant_id}/identity-providers`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProvidersAnswer {
    /// The organization's identity providers, by issuer.
    pub providers: Vec<ProviderAnswer>,
}
