//! What the admin door answers: the words between the running agent and its own verbs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use farhold_contract::{
    Sha256Digest, Timestamp,
    condition::Condition,
    id::{EventId, IssuerId, LicenseId, RuntimeId, TenantId, TokenId},
    model::RuntimeType,
};

/// `GET /admin/trust`, `POST /admin/trust`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrustAnswer {
    /// The issuer's id.
    pub issuer_id: IssuerId,
    /// The issuer's name.
    pub issuer_name: String,
    /// The root's version.
    pub version: u64,
    /// SHA-256 of its payload: compare it with the vendor over another channel.
    pub sha256: Sha256Digest,
    /// Past this, nothing new is taken under it.
    pub expires: Timestamp,
    /// The version that was installed first.
    pub installed_version: u64,
}

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

/// The link, in `GET /statusz`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkAnswer {
    /// `online` or `offline`.
    pub state: String,
    /// The Kernel's base URL.
    pub kernel: String,
    /// The agent, as the Kernel knows it.
    pub runtime_id: RuntimeId,
    /// When the Kernel last accepted a heartbeat, in this run of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// When a bundle was last pulled, or found to be the one at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled_at: Option<Timestamp>,
    /// When a batch of the audit was last receipted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_at: Option<Timestamp>,
    /// When the agent's certificate ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ends: Option<Timestamp>,
    /// Why the Kernel can't be asked, as long as it can't, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// What the Kernel has taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_away: Option<String>,
}

/// `GET /admin/dead-letters`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLettersAnswer {
    /// At most 1,000, in the order of the chain.
    pub dead_letters: Vec<DeadLetterAnswer>,
}

/// A record whose content the Kernel refused; it is in the chain all the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLetterAnswer {
    /// The record.
    pub seq: u64,
    /// The organization it belongs to.
    pub tenant_id: TenantId,
    /// The event.
    pub event_id: EventId,
    /// Why it was refused.
    pub code: String,
    /// What is wrong with it.
    pub detail: String,
    /// When the agent heard of it.
    pub refused_at: Timestamp,
}

/// `POST /admin/import?dry_run=`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportAnswer {
    /// `false` for a dry run.
    pub applied: bool,
    /// SHA-256 of the bundle's bytes.
    pub bundle_sha256: Sha256Digest,
    /// What each line is.
    pub lines: Vec<LineAnswer>,
    /// What falls with a revoked key, named for people.
    pub fallen: Vec<String>,
}

/// One line of a bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineAnswer {
    /// Its number, from 1.
    pub line: usize,
    /// Its type.
    pub document: String,
    /// Type and number, for people.
    pub name: String,
    /// `new`, `known` or `superseded`.
    pub outcome: String,
}

/// `GET /statusz`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// The agent's version.
    pub version: String,
    /// `managed` or `detached`; absent while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The organizations served here.
    pub tenants: Vec<TenantId>,
    /// The agent's key.
    pub device_key: String,
    /// Since when this process runs.
    pub started_at: Timestamp,
    /// Whether a verified bundle can answer.
    pub ready: bool,
    /// The link to the Kernel, where the agent is enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkAnswer>,
    /// What is wrong, worst first.
    pub conditions: Vec<Condition>,
    /// The trust root, if one is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustAnswer>,
    /// The clocks.
    pub clock: ClockAnswer,
    /// The audit queue.
    pub queue: QueueAnswer,
    /// Runtimes registered here.
    pub runtimes: usize,
}

/// The clocks, as `bundle.md` §5 names them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClockAnswer {
    /// The system clock.
    pub wall: Timestamp,
    /// The agent's own time.
    pub mark: Timestamp,
    /// The latest date that a document in force proves to have passed.
    pub floor: Timestamp,
    /// The time by which licenses are judged.
    pub now: Timestamp,
}

/// `GET /admin/queue`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueueAnswer {
    /// Records not yet receipted.
    pub events: u64,
    /// The database's pages in use, in bytes.
    pub bytes: u64,
    /// Its cap, in bytes.
    pub cap_bytes: u64,
    /// When the oldest record not yet receipted was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<Timestamp>,
    /// The last record made; 0 for none.
    pub last_seq: u64,
    /// The last record receipted; 0 for none.
    pub acknowledged_seq: u64,
    /// The chain's epoch.
    pub epoch: String,
    /// The chain's head.
    pub head: Sha256Digest,
    /// Every loss that policy allowed, by reason.
    pub lost: BTreeMap<String, u64>,
}

/// `GET /admin/licenses`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LicensesAnswer {
    /// The time by which phases are told.
    pub now: Timestamp,
    /// Every license, by line and serial.
    pub licenses: Vec<LicenseAnswer>,
}

/// One license as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LicenseAnswer {
    /// The organization.
    pub tenant_id: TenantId,
    /// The product.
    pub product: String,
    /// The license.
    pub license_id: LicenseId,
    /// Its revision.
    pub serial: u64,
    /// SHA-256 of its payload.
    pub sha256: Sha256Digest,
    /// Whom it was issued to.
    pub issued_to: String,
    /// Whether it is the one of its line that decides.
    pub in_force: bool,
    /// `not_begun`, `in_force`, `expiring`, `grace`, `restricted`, `stopped`, `revoked`, or
    /// `not_admitted`.
    pub phase: String,
    /// When it begins.
    pub begins: Timestamp,
    /// The signed end; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// The end of the grace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ends: Option<Timestamp>,
    /// When it stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stops: Option<Timestamp>,
    /// Its features.
    pub features: Vec<String>,
    /// Why it can't be in force at this site, if it can't (`code: detail`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_admitted: Option<String>,
}

/// `GET /admin/audit/tail?count=`: wire records, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditTailAnswer {
    /// The records as exports carry them.
    pub records: Vec<serde_json::Value>,
}

/// `GET /admin/audit/verify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditVerifyAnswer {
    /// The chain's epoch.
    pub epoch: String,
    /// The first record kept; 0 for none.
    pub from_seq: u64,
    /// The last record.
    pub to_seq: u64,
    /// How many were verified.
    pub records: u64,
    /// The head after the last.
    pub head: Sha256Digest,
}

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
