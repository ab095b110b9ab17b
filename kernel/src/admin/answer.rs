//! What the admin API answers, and what it is asked: the words between the Kernel and its verbs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use farhold_api::present;
use farhold_contract::{
    AlertCode, Code, Sha256Digest, Timestamp,
    call::heartbeat::{Health, HeartbeatReport, KernelStanding, KernelStatus},
    id::{IssuerId, LicenseId, RuntimeId, TenantId, TokenId},
    model::{DeploymentMode, Policies, Provider, RuntimeType, TenantType},
    version::ContractVersion,
};

/// `POST /kernel/admin/tenants`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantRequest {
    /// The organization's id where the vendor has given it one; absent: a new one.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// What people call it.
    pub name: String,
    /// What kind of organization it is; `internal` is the Kernel's own.
    #[serde(rename = "type")]
    pub kind: TenantType,
    /// What holds for all it does; absent: the usual.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub policies: Option<Policies>,
}

/// One organization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TenantAnswer {
    /// The organization.
    pub tenant_id: TenantId,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What kind of organization it is.
    #[serde(rename = "type")]
    pub kind: TenantType,
    /// What holds for all it does.
    pub policies: Policies,
    /// Whether it may operate, and without what.
    #[serde(flatten)]
    pub standing: KernelStanding,
    /// When it was created.
    pub created_at: Timestamp,
}

/// `GET /kernel/admin/tenants`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TenantsAnswer {
    /// Every organization, oldest first.
    pub tenants: Vec<TenantAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `PUT …/standing`: of a tenant, a runtime or an agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingRequest {
    /// Whether it may operate.
    pub status: KernelStatus,
    /// With `limited`, and only then: the features denied.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub features_denied: BTreeSet<String>,
}

/// One runtime.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuntimeAnswer {
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// The organization it works for.
    pub tenant_id: TenantId,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: RuntimeType,
    /// Where it is deployed.
    pub deployment_mode: DeploymentMode,
    /// Its version.
    pub version: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// The agent it is registered at; absent: at the Kernel itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// Whether it may operate, and without what.
    #[serde(flatten)]
    pub standing: KernelStanding,
    /// When it registered first.
    pub registered_at: Timestamp,
    /// What its last heartbeat said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
}

/// `GET /kernel/admin/tenants/{tenant_id}/runtimes`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuntimesAnswer {
    /// The organization's runtimes, oldest first.
    pub runtimes: Vec<RuntimeAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentAnswer {
    /// The agent.
    pub runtime_id: RuntimeId,
    /// The organizations of its site; the first is its own.
    pub tenants: Vec<TenantId>,
    /// Its key.
    pub device_key: String,
    /// Its version, as it said at enrollment.
    pub agent_version: String,
    /// Whether it may operate, and without what.
    #[serde(flatten)]
    pub standing: KernelStanding,
    /// When it enrolled first.
    pub enrolled_at: Timestamp,
    /// When its present certificate ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_ends: Option<Timestamp>,
    /// When it was heard last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// Its last report; only where one agent is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<HeartbeatReport>,
}

/// `GET /kernel/admin/agents`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentsAnswer {
    /// The agents, oldest first.
    pub agents: Vec<AgentAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

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

/// `GET` and `POST /kernel/admin/trust`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrustAnswer {
    /// The issuer's id.
    pub issuer_id: IssuerId,
    /// The issuer's name.
    pub issuer_name: String,
    /// The root's version.
    pub version: u64,
    /// SHA-256 of its payload.
    pub sha256: Sha256Digest,
    /// Past this, nothing new is taken under it.
    pub expires: Timestamp,
    /// The version that was installed first.
    pub installed_version: u64,
}

/// `POST /kernel/admin/bundles?dry_run=`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UploadAnswer {
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

/// `GET /kernel/admin/tenants/{tenant_id}/licenses`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LicensesAnswer {
    /// The Kernel's clock.
    pub now: Timestamp,
    /// The organization's licenses, by product and serial.
    pub licenses: Vec<LicenseAnswer>,
}

/// One license as it stands at the Kernel.
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
    /// When it begins.
    pub begins: Timestamp,
    /// The signed end; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// At how many sites it may stand.
    pub sites: u64,
    /// Whether it is the one of its line that decides.
    pub in_force: bool,
    /// Whether the revocations in force take it away.
    pub revoked: bool,
    /// The features it grants.
    pub features: Vec<String>,
}

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

/// `GET /kernel/admin/tenants/{tenant_id}/audit/events`.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditAnswer {
    /// The events, oldest first.
    pub events: Vec<AuditEventAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One event of an organization, with where it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditEventAnswer {
    /// Where it stands in this listing.
    pub cursor: String,
    /// The agent whose chain it is in; absent: the Kernel's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// The chain's epoch.
    pub epoch: String,
    /// Its record.
    pub seq: u64,
    /// When it was linked, by the clock of whoever linked it.
    pub recorded_at: Timestamp,
    /// When it came to the Kernel.
    pub received_at: Timestamp,
    /// Its class.
    pub class: String,
    /// The event's own bytes; absent where they were withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<RawValue>>,
}

/// `GET /kernel/admin/audit/verify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerifyAnswer {
    /// Whether every chain comes to its heads.
    pub intact: bool,
    /// Every chain, the Kernel's own first.
    pub chains: Vec<ChainAnswer>,
}

/// One chain, recomputed from its records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainAnswer {
    /// The agent; absent: the Kernel's own chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// The key whose chain it is: SHA-256 of the device key.
    pub device_key_id: String,
    /// Its epoch.
    pub epoch: String,
    /// How many records were recomputed, branches included.
    pub records: u64,
    /// Its heads that nothing follows: one, unless it was forked.
    pub heads: Vec<HeadAnswer>,
    /// How many heads more than one there are.
    pub branches: u64,
    /// Records whose content was refused; the chain holds them all the same.
    pub refused: u64,
    /// Where it does not hold; absent: it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// A head, and the last record before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeadAnswer {
    /// The last record; 0 for none.
    pub seq: u64,
    /// The head after it.
    pub head: Sha256Digest,
}

/// `GET /kernel/admin/tenants/{tenant_id}/dead-letters`.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeadLettersAnswer {
    /// What was refused, oldest first.
    pub dead_letters: Vec<DeadLetterAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One event whose content was refused.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeadLetterAnswer {
    /// Where it stands in this listing.
    pub cursor: String,
    /// The agent that sent it; absent: a runtime, to the Kernel itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// The chain's epoch.
    pub epoch: String,
    /// Its record.
    pub seq: u64,
    /// Why it was refused.
    pub code: Code,
    /// What is wrong with it.
    pub detail: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Its bytes as text, where they are text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// `GET /kernel/admin/alerts`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertsAnswer {
    /// The alerts, newest first.
    pub alerts: Vec<AlertAnswer>,
    /// Where the next page begins; absent: this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertAnswer {
    /// The alert.
    pub alert_id: String,
    /// Which of the closed list.
    pub code: AlertCode,
    /// The organization it concerns.
    pub tenant_id: TenantId,
    /// The agent it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<RuntimeId>,
    /// What was seen.
    pub detail: Value,
    /// How often.
    pub count: u64,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub action: String,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When it was seen last.
    pub last_at: Timestamp,
    /// When someone took it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// Who: the id of their token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
}

/// `GET /kernel/admin/status`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// The Kernel's version.
    pub version: String,
    /// The contract versions it speaks, oldest first.
    pub contract_versions: Vec<ContractVersion>,
    /// The tenant of the administration.
    pub internal_tenant_id: TenantId,
    /// The Kernel's clock.
    pub now: Timestamp,
    /// Where agents reach it.
    pub url: String,
    /// SHA-256 of the CA's public key: the anchor that enrollment tokens name.
    pub ca_sha256: Sha256Digest,
    /// The public key that signs receipts.
    pub receipt_key: String,
    /// The trust root, if one is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustAnswer>,
    /// How many of each there are.
    pub counts: CountsAnswer,
    /// Where the Kernel's own audit chain stands.
    pub chain: ChainHeadAnswer,
}

/// How many of each there are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CountsAnswer {
    /// Organizations.
    pub tenants: u64,
    /// Agents.
    pub agents: u64,
    /// Runtimes.
    pub runtimes: u64,
    /// Licenses.
    pub licenses: u64,
    /// Alerts that nobody has taken on.
    pub open_alerts: u64,
}

/// Where a chain stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainHeadAnswer {
    /// Its epoch.
    pub epoch: String,
    /// The last record; 0 for none.
    pub seq: u64,
    /// The head after it.
    pub head: Sha256Digest,
}

/// A listing that may have more than one page.
pub trait Listing {
    /// Where the next page begins.
    fn next(&mut self) -> &mut Option<String>;

    /// Takes the next page's rows over, and where the one after it begins.
    fn append(&mut self, page: Self);
}

macro_rules! listings {
    ($($answer:ident: $rows:ident;)*) => {$(
        impl Listing for $answer {
            fn next(&mut self) -> &mut Option<String> {
                &mut self.next
            }

            fn append(&mut self, page: Self) {
                self.$rows.extend(page.$rows);
                self.next = page.next;
            }
        }
    )*};
}

listings! {
    TenantsAnswer: tenants;
    RuntimesAnswer: runtimes;
    AgentsAnswer: agents;
    EnrollTokensAnswer: tokens;
    AuditAnswer: events;
    DeadLettersAnswer: dead_letters;
    AlertsAnswer: alerts;
}
