//! Directory: who is known, in memory, as of the last commit.
//!
//! The writer changes it after each commit and before the callers are answered. It holds every
//! tenant, agent, runtime and unrevoked token; of what they reported, what decides what they are
//! sent.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use rusqlite::Connection;

use farhold_bundle::{KeyId, PublicKey};
use farhold_contract::{
    Sha256Digest, Timestamp,
    call::heartbeat::{HeartbeatReport, KernelStanding},
    date::Date,
    id::{RuntimeId, TenantId, TokenId},
    model::{DeploymentMode, RuntimeType},
};

use super::{
    agent::{self, IssuedCertificate},
    error::StorageError,
    runtime::{self, Origin},
    runtime_token::{self, RuntimeToken},
    tenant::{self, Tenant},
};

/// Who is known. What it answers never waits for the database.
#[derive(Debug, Default)]
pub struct Directory {
    known: RwLock<Known>,
}

/// A runtime token, and whose it is.
#[derive(Debug, Clone)]
pub struct TokenHolder {
    /// The token.
    pub token: Arc<RuntimeToken>,
    /// Its organization, whatever its standing.
    pub tenant: Arc<Tenant>,
    /// The runtime that registered with it, if one has.
    pub runtime: Option<Arc<RuntimeFacts>>,
}

/// What every call needs to know of a runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeFacts {
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// The organization it works for.
    pub tenant_id: TenantId,
    /// How it registered.
    pub origin: Origin,
    /// What it is.
    pub kind: RuntimeType,
    /// Where it is deployed.
    pub deployment_mode: DeploymentMode,
    /// Its version.
    pub version: String,
    /// The date its version was released, if it said.
    pub released_on: Option<Date>,
    /// What the Kernel took away from it.
    pub standing: KernelStanding,
}

/// What every call needs to know of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFacts {
    /// The agent.
    pub runtime_id: RuntimeId,
    /// The key of its machine.
    pub device_key: PublicKey,
    /// The organizations of its site; the first is its own.
    pub tenants: Vec<TenantId>,
    /// What the Kernel took away from it.
    pub standing: KernelStanding,
    /// The certificates it may come with: the present one, and the one before; newest last.
    pub certificates: Vec<IssuedCertificate>,
    /// What it reported last, as far as it decides what it is sent; none before the first report.
    pub reported: Option<Arc<Reported>>,
}

/// What an agent reported last, as far as it decides what it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reported {
    /// The version of its trust root; 0 for none.
    pub root: u64,
    /// The components of its machine; empty until it has told them.
    pub fingerprint: BTreeMap<String, String>,
}

impl Reported {
    /// What is known once a report has come after what was known before.
    pub fn after(before: Option<&Self>, report: &HeartbeatReport) -> Self {
        let told = report.fingerprint.as_ref().map(|told| &told.components);
        Self {
            root: report.root.map_or(0, |root| root.version),
            fingerprint: told
                .or_else(|| before.map(|before| &before.fingerprint))
                .cloned()
                .unwrap_or_default(),
        }
    }
}

impl AgentFacts {
    /// Whether a certificate with this fingerprint (SHA-256 of the DER) is one it may come with
    /// at `now`: a connection may outlive the certificate it began with.
    pub fn has_certificate(&self, fingerprint: &Sha256Digest, now: Timestamp) -> bool {
        let mut issued = self.certificates.iter();
        issued.any(|issued| issued.fingerprint == *fingerprint && now <= issued.not_after)
    }

    /// The organization it belongs to.
    pub fn own_tenant(&self) -> TenantId {
        *self.tenants.first().expect("an agent is of at least one tenant")
    }
}

impl Directory {
    /// The holder of the token with this hash; none for one that is revoked.
    pub fn token(&self, hash: &Sha256Digest) -> Option<TokenHolder> {
        let known = self.known();
        let token = Arc::clone(known.tokens.get(hash)?);
        let tenant = Arc::clone(known.tenants.get(&token.tenant_id)?);
        let runtime = known.by_token.get(&token.token_id);
        let runtime = runtime.and_then(|runtime_id| known.runtimes.get(runtime_id)).cloned();
        Some(TokenHolder { token, tenant, runtime })
    }

    /// An organization, whatever its standing.
    pub fn tenant(&self, tenant_id: TenantId) -> Option<Arc<Tenant>> {
        self.known().tenants.get(&tenant_id).cloned()
    }

    /// A runtime of an organization.
    pub fn runtime(&self, tenant_id: TenantId, runtime_id: RuntimeId) -> Option<Arc<RuntimeFacts>> {
        let known = self.known();
        known.runtimes.get(&runtime_id).filter(|known| known.tenant_id == tenant_id).cloned()
    }

    /// An agent, of any organization.
    pub fn agent(&self, runtime_id: RuntimeId) -> Option<Arc<AgentFacts>> {
        self.known().agents.get(&runtime_id).cloned()
    }

    /// The agent with this device key, of any organization.
    pub fn agent_by_device_key(&self, key_id: KeyId) -> Option<Arc<AgentFacts>> {
        let known = self.known();
        known.by_device_key.get(&key_id).and_then(|agent| known.agents.get(agent)).cloned()
    }

    /// How many tenants, agents and runtimes there are.
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        let known = self.known();
        (known.tenants.len(), known.agents.len(), known.runtimes.len())
    }

    /// Everybody whom the database knows.
    pub(super) fn load(sql: &Connection) -> Result<Self, StorageError> {
        let mut known = Known::default();
        for tenant in tenant::every(sql)? {
            known.apply(Change::Tenant(tenant));
        }
        for token in runtime_token::every(sql)? {
            known.apply(Change::Token(token));
        }
        for agent in agent::every(sql)? {
            known.apply(Change::Agent(agent.facts.into()));
        }
        for runtime in runtime::every(sql)? {
            known.apply(Change::Runtime(runtime.facts));
        }
        Ok(Self { known: RwLock::new(known) })
    }

    /// Makes true what was committed, all of it at once.
    pub(super) fn apply(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            known.apply(change);
        }
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        // Nothing that holds the lock can fail halfway.
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody as they are from the commit on.
pub(super) enum Change {
    Tenant(Tenant),
    Token(RuntimeToken),
    Agent(Arc<AgentFacts>),
    Runtime(RuntimeFacts),
}

#[derive(Debug, Default)]
struct Known {
    tenants: HashMap<TenantId, Arc<Tenant>>,
    tokens: HashMap<Sha256Digest, Arc<RuntimeToken>>,
    agents: HashMap<RuntimeId, Arc<AgentFacts>>,
    by_device_key: HashMap<KeyId, RuntimeId>,
    runtimes: HashMap<RuntimeId, Arc<RuntimeFacts>>,
    by_token: HashMap<TokenId, RuntimeId>,
}

impl Known {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Tenant(tenant) => {
                self.tenants.insert(tenant.tenant_id, Arc::new(tenant));
            }
            Change::Token(token) if token.revoked_at.is_some() => {
                self.tokens.remove(&token.hash);
            }
            Change::Token(token) => {
                self.tokens.insert(token.hash, Arc::new(token));
            }
            Change::Agent(agent) => {
                self.by_device_key.insert(agent.device_key.id(), agent.runtime_id);
                self.agents.insert(agent.runtime_id, agent);
            }
            Change::Runtime(runtime) => {
                if let Origin::Token(token_id) = runtime.origin {
                    self.by_token.insert(token_id, runtime.runtime_id);
                }
                self.runtimes.insert(runtime.runtime_id, Arc::new(runtime));
            }
        }
    }
}
