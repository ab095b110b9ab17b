//! Runtimes' tokens, made and listed.

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Timestamp,
    id::{RuntimeId, TenantId, TokenId},
    model::RuntimeType,
};

/// `POST /admin/tokens`, the question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenRequest {
    /// The type of runtime it is for.
    pub runtime_type: RuntimeType,
    /// What people call it.
    #[serde(
        default,
        deserialize_with = "farhold_api::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    /// The organization, where the site serves several.
    #[serde(
        default,
        deserialize_with = "farhold_api::present",
        skip_serializing_if = "Option::is_none"
    )]
    pub tenant_id: Option<TenantId>,
}

/// `POST /admin/tokens`, the answer. No `Debug`: the token is shown once and never again.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenCreated {
    /// By which it is listed and revoked.
    pub token_id: TokenId,
    /// The token.
    pub token: String,
}

/// `GET /admin/tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokensAnswer {
    /// Every token, oldest first.
    pub tokens: Vec<TokenAnswer>,
}

/// One token, without itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// By which it is revoked.
    pub token_id: TokenId,
    /// The organization.
    pub tenant_id: TenantId,
    /// The type of runtime it is for.
    pub runtime_type: RuntimeType,
    /// The runtime, once registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}
