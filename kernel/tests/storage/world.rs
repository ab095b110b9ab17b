//! A storage of the tests, in a folder of its own, and whom they enter.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rcgen::{KeyPair, PKCS_ED25519};
use serde_json::json;
use uuid::Uuid;

use farhold_audit::Epoch;
use farhold_bundle::{KeyId, PublicKey};
use farhold_contract::{
    Sha256Digest, Timestamp,
    call::heartbeat::{KernelStanding, KernelStatus},
    id::{RuntimeId, TenantId, TokenId},
    model::{DeploymentMode, Policies, RuntimeType, SecurityLevel, TenantType},
};
use farhold_kernel::{
    own_event::OwnEvent,
    storage::{
        Agent, AuditQuery, EnrollToken, Enrolled, Enrollment, Limits, Order, Origin, OwnChain,
        ProposedId, Registered, Registration, Runtime, RuntimeToken, Storage, StorageError, Tenant,
        Trail, no_trail,
    },
};

pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

pub(crate) struct World {
    pub(crate) storage: Storage,
    pub(crate) path: PathBuf,
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::within(Limits::default())
    }

    pub(crate) fn within(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kernel.db");
        let storage = Storage::open(&path, own_chain(), limits).unwrap();
        Self { storage, path, dir }
    }

    /// The same database, closed and opened again.
    pub(crate) fn reopened(self) -> Self {
        let Self { storage, path, dir } = self;
        drop(storage);
        let storage = Storage::open(&path, own_chain(), Limits::default()).unwrap();
        Self { storage, path, dir }
    }

    /// A storage that was opened elsewhere.
    pub(crate) fn over(storage: Storage, path: PathBuf, dir: tempfile::TempDir) -> Self {
        Self { storage, path, dir }
    }

    /// The folder alone, with the database closed in it.
    pub(crate) fn closed(self) -> tempfile::TempDir {
        let Self { storage, dir, .. } = self;
        drop(storage);
        dir
    }

    pub(crate) async fn tenant(&self) -> TenantId {
        let tenant = tenant();
        self.storage.create_tenant(tenant.clone(), no_trail).await.unwrap();
        tenant.tenant_id
    }

    pub(crate) async fn token(&self, tenant_id: TenantId) -> RuntimeToken {
        let token = token(tenant_id);
        self.storage.create_runtime_token(token.clone(), no_trail).await.unwrap();
        token
    }

    /// A runtime registered with a token of its own.
    pub(crate) async fn runtime(&self, tenant_id: TenantId) -> Runtime {
        let token = self.token(tenant_id).await;
        let registration = registration(tenant_id, Origin::Token(token.token_id));
        fresh(self.storage.register(registration, no_trail).await.unwrap())
    }

    /// A runtime registered through an agent.
    pub(crate) async fn runtime_of(&self, agent: &Agent, tenant_id: TenantId) -> Runtime {
        let origin = Origin::Agent(agent.facts.runtime_id);
        let id = ProposedId::Adopt(runtime_id());
        let registration = Registration { id, ..registration(tenant_id, origin) };
        fresh(self.storage.register(registration, no_trail).await.unwrap())
    }

    pub(crate) async fn enroll_token(&self, tenants: &[TenantId]) -> EnrollToken {
        let token = enroll_token(tenants);
        self.storage.create_enroll_token(token.clone(), no_trail).await.unwrap();
        token
    }

    pub(crate) async fn agent(&self, tenants: &[TenantId]) -> Agent {
        let token = self.enroll_token(tenants).await;
        let enrollment = enrollment(&token, device_key());
        agent_of(self.storage.enroll(enrollment, no_trail).await.unwrap())
    }

    /// How many events of a tenant the Kernel's own chain holds.
    pub(crate) async fn events(&self, tenant_id: TenantId) -> usize {
        let query = AuditQuery {
            tenant_id,
            from: None,
            to: None,
            kind_prefix: None,
            event_id: None,
            runtime_id: None,
            agent: None,
            text: None,
            order: Order::Oldest,
            after: None,
            limit: 1_000,
        };
        self.storage.audit_events(query).await.unwrap().events.len()
    }
}

pub(crate) fn own_chain() -> OwnChain {
    OwnChain { key_id: KeyId::of(&[9; 32]), epoch: Epoch::new([7; 16]), now: NOW }
}

pub(crate) fn later(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// UUIDs of version 7 that grow.
pub(crate) fn uuid() -> Uuid {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&next().to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(1_800_000_000_000 + next(), &random).into_uuid()
}

pub(crate) fn runtime_id() -> RuntimeId {
    RuntimeId::from_uuid(uuid()).unwrap()
}

pub(crate) fn token_id() -> TokenId {
    TokenId::from_uuid(uuid()).unwrap()
}

pub(crate) fn tenant_id() -> TenantId {
    TenantId::from_uuid(uuid()).unwrap()
}

pub(crate) fn digest() -> Sha256Digest {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&next().to_be_bytes());
    Sha256Digest::new(bytes)
}

pub(crate) fn device_key() -> PublicKey {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    PublicKey::from_bytes(key.public_key_raw().try_into().unwrap()).unwrap()
}

pub(crate) fn tenant() -> Tenant {
    Tenant {
        tenant_id: tenant_id(),
        kind: TenantType::Company,
        name: Some("Ada's school".to_owned()),
        standing: KernelStanding::ACTIVE,
        policies: Policies {
            security_level: SecurityLevel::Enterprise,
            data_residency: Some("eu".to_owned()),
        },
        created_at: NOW,
    }
}

pub(crate) fn token(tenant_id: TenantId) -> RuntimeToken {
    RuntimeToken {
        token_id: token_id(),
        hash: digest(),
        tenant_id,
        runtime_type: RuntimeType::Courses,
        name: Some("courses at the main site".to_owned()),
        created_at: NOW,
        revoked_at: None,
    }
}

pub(crate) fn registration(tenant_id: TenantId, origin: Origin) -> Registration {
    Registration {
        tenant_id,
        origin,
        id: ProposedId::Mint(runtime_id()),
        kind: RuntimeType::Courses,
        deployment_mode: DeploymentMode::OnPrem,
        version: "1.2.3".to_owned(),
        capabilities: vec!["video".to_owned()],
        released_on: Some("2026-11-02".parse().unwrap()),
        at: NOW,
    }
}

pub(crate) fn fresh(registered: Registered) -> Runtime {
    match registered {
        Registered::Fresh(runtime) => runtime,
        other => panic!("not fresh: {other:?}"),
    }
}

pub(crate) fn enroll_token(tenants: &[TenantId]) -> EnrollToken {
    EnrollToken {
        token_id: token_id(),
        secret_hash: digest(),
        root_sha256: digest(),
        tenants: tenants.to_vec(),
        created_at: NOW,
        expires_at: later(86_400),
        revoked_at: None,
        used: None,
    }
}

pub(crate) fn enrollment(token: &EnrollToken, device_key: PublicKey) -> Enrollment {
    Enrollment {
        secret_hash: token.secret_hash,
        device_key,
        runtime_id: runtime_id(),
        agent_version: "0.2.0".to_owned(),
        at: NOW,
    }
}

pub(crate) fn agent_of(enrolled: Enrolled) -> Agent {
    match enrolled {
        Enrolled::Agent { agent, .. } => agent,
        other => panic!("not enrolled: {other:?}"),
    }
}

pub(crate) fn suspended() -> KernelStanding {
    KernelStanding { status: KernelStatus::Suspended, features_denied: Default::default() }
}

/// A trail of one event of a tenant.
pub(crate) fn told<T>(tenant_id: TenantId) -> impl FnOnce(&T) -> Trail + Send + 'static {
    move |_| {
        Trail::events(vec![OwnEvent::new(tenant_id, "kernel.test.told", json!({})).record(NOW)])
    }
}

pub(crate) fn is_unknown<T>(outcome: &Result<T, StorageError>) -> bool {
    matches!(outcome, Err(StorageError::Unknown { .. }))
}

pub(crate) fn exists<T>(outcome: &Result<T, StorageError>) -> bool {
    matches!(outcome, Err(StorageError::Exists { .. }))
}
