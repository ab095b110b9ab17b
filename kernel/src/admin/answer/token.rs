//! Tokens: of runtimes, and of agents to be.

use serde::{Deserialize, Serialize};

use farhold_api::present;
use farhold_contract::{
    Timestamp,
    id::{RuntimeId, TenantId, TokenId},
    model::RuntimeType,
};

/// `POST /kernel/admin/tenants/{tenant_id}/runtime-tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeTokenRequest {
    /// The type of runtime it is for.
    pub runtime_type: RuntimeType,
    /// What people call it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A runtime token just made. No `Debug`: the token is a secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct RuntimeTokenCreated {
    /// By which it is listed and revoked.
    pub token_id: TokenId,
    /// The token: in this answer and nowhere else.
    pub token: String,
}

/// One runtime token, never the token itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuntimeTokenAnswer {
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

/// `GET /kernel/admin/tenants/{tenant_id}/runtime-tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuntimeTokensAnswer {
    /// The organization's tokens, oldest first.
    pub tokens: Vec<RuntimeTokenAnswer>,
}

/// `POST /kernel/admin/enroll-tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrollTokenRequest {
    /// The organizations of the site; the first is the agent's own.
    pub tenants: Vec<TenantId>,
}

/// An enrollment token just made. No `Debug`: the token is a secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct EnrollTokenCreated {
    /// By which it is listed and revoked.
    pub token_id: TokenId,
    /// Its text, `fhe1.…`: in this answer and nowhere else.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// One enrollment token, never the token itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrollTokenAnswer {
    /// By which it is revoked.
    pub token_id: TokenId,
    /// The organizations it names; the first is the agent's own.
    pub tenants: Vec<TenantId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The agent that used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// `GET /kernel/admin/enroll-tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrollTokensAnswer {
    /// The tokens, oldest first.
    pub tokens: Vec<EnrollTokenAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
