//! A Kernel of the tests: the real router over a real storage in a folder of its own; only the
//! clock is ours.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use farhold_api::{Limits, refusing_the_rest};
use farhold_audit::Epoch;
use farhold_bundle::{PublicKey, Signer};
use farhold_contract::{
    AlertCode, Sha256Digest, Timestamp,
    call::heartbeat::{KernelStanding, KernelStatus},
    id::{RuntimeId, TenantId, TokenId},
    model::{Policies, RuntimeType, SecurityLevel, TenantType},
};
use farhold_kernel::{
    ca::{AgentName, Authority, RequestedKey},
    clock::Clock,
    config::Config,
    control,
    control_plane::{ControlPlane, Parts},
    data_dir::DataDir,
    init::initialize,
    random,
    storage::{
        self, Alert, AlertFilter, AuditQuery, EnrollToken, Enrolled, Enrollment, IssuedCertificate,
        Order, OwnChain, RuntimeToken, Storage, Tenant, no_trail,
    },
};

use crate::{ask::Ask, issuer::NOW, vendor::Vendor};

/// A Kernel that can be asked.
pub(crate) struct Kernel {
    pub(crate) plane: Arc<ControlPlane>,
    pub(crate) router: Router,
    pub(crate) clock: Arc<TestClock>,
    vendor: Mutex<Vendor>,
    _dir: TempDir,
}

/// A runtime with a token of its own, registered.
#[derive(Clone)]
pub(crate) struct Runtime {
    pub(crate) tenant_id: TenantId,
    pub(crate) runtime_id: RuntimeId,
    pub(crate) token: String,
    pub(crate) token_id: TokenId,
}

/// An agent with a certificate.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) agent_id: RuntimeId,
    pub(crate) tenants: Vec<TenantId>,
    pub(crate) certificate: Vec<u8>,
}

/// Time that passes when it is told to.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn pass(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

impl Kernel {
    pub(crate) async fn new() -> Self {
        Self::within(storage::Limits::default()).await
    }

    pub(crate) async fn within(limits: storage::Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(NOW * 1_000)));
        let data_dir = DataDir::new(dir.path().join("kernel"));
        initialize(data_dir.clone(), &[], &*clock).await.unwrap();
        let receipts = farhold_keys::load(&data_dir.receipt_key(), None).unwrap();
        let own = OwnChain {
            key_id: receipts.public_key().id(),
            epoch: Epoch::new([7; 16]),
            now: clock.now(),
        };
        let vendor = Vendor::new(dir.path());
        let plane = Arc::new(ControlPlane::new(Parts {
            storage: Storage::open(&data_dir.database(), own, limits).unwrap(),
            config: Config::load(data_dir.clone(), None).unwrap(),
            authority: Authority::load(&data_dir).unwrap(),
            receipts,
            clock: clock.clone(),
            internal_tenant: std::fs::read_to_string(data_dir.admin_tenant())
                .unwrap()
                .trim()
                .parse()
                .unwrap(),
            standing: vendor.standing(),
        }));
        let router = refusing_the_rest(control::calls(&plane, &Limits::STANDARD));
        Self { plane, router, clock, vendor: Mutex::new(vendor), _dir: dir }
    }

    /// A new organization.
    pub(crate) async fn tenant(&self) -> TenantId {
        let tenant_id = self.plane.new_id();
        let tenant = Tenant {
            tenant_id,
            kind: TenantType::Company,
            name: None,
            standing: KernelStanding::ACTIVE,
            policies: Policies { security_level: SecurityLevel::Standard, data_residency: None },
            created_at: self.plane.now(),
        };
        self.plane.storage.create_tenant(tenant, no_trail).await.unwrap();
        tenant_id
    }

    /// A new runtime token, and its name.
    pub(crate) async fn token(&self, tenant_id: TenantId, kind: RuntimeType) -> (String, TokenId) {
        let token = format!("fhr_{}", hex::encode(random::bytes::<32>()));
        let token_id = self.plane.new_id();
        let row = RuntimeToken {
            token_id,
            hash: Sha256Digest::new(Sha256::digest(&token).into()),
            tenant_id,
            runtime_type: kind,
            name: None,
            created_at: self.plane.now(),
            revoked_at: None,
        };
        self.plane.storage.create_runtime_token(row, no_trail).await.unwrap();
        (token, token_id)
    }

    /// A runtime of type courses, registered with a token of its own.
    pub(crate) async fn runtime(&self, tenant_id: TenantId) -> Runtime {
        let (token, token_id) = self.token(tenant_id, RuntimeType::Courses).await;
        let answer = Ask::register(tenant_id).by_token(&token).of(self).await.json();
        let runtime_id = answer["runtime_id"].as_str().unwrap().parse().unwrap();
        Runtime { tenant_id, runtime_id, token, token_id }
    }

    /// An agent for these organizations, with a certificate; the first is its own.
    pub(crate) async fn agent(&self, tenants: &[TenantId]) -> Agent {
        let device = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let token = EnrollToken {
            token_id: self.plane.new_id(),
            secret_hash: Sha256Digest::new(random::bytes()),
            root_sha256: Sha256Digest::new(random::bytes()),
            tenants: tenants.to_vec(),
            created_at: self.plane.now(),
            expires_at: self.plane.now() + Duration::from_secs(86_400),
            revoked_at: None,
            used: None,
        };
        let secret_hash = token.secret_hash;
        self.plane.storage.create_enroll_token(token, no_trail).await.unwrap();
        let enrollment = Enrollment {
            secret_hash,
            device_key: PublicKey::from_bytes(device.public_key_raw().try_into().unwrap()).unwrap(),
            runtime_id: self.plane.new_id(),
            agent_version: "0.1.0".to_owned(),
            at: self.plane.now(),
        };
        let enrolled = self.plane.storage.enroll(enrollment, no_trail).await.unwrap();
        let Enrolled::Agent { agent, .. } = enrolled else { panic!("not enrolled") };
        let agent = Agent {
            agent_id: agent.facts.runtime_id,
            tenants: tenants.to_vec(),
            certificate: Vec::new(),
        };
        self.certified(&agent).await
    }

    /// The same agent with its next certificate.
    pub(crate) async fn certified(&self, agent: &Agent) -> Agent {
        let certificate = self.issued(agent.tenants[0], agent.agent_id);
        let fingerprint = Sha256Digest::new(Sha256::digest(&certificate).into());
        let issued = IssuedCertificate {
            fingerprint,
            not_after: self.plane.now() + Duration::from_secs(3_600),
        };
        self.plane.storage.note_certificate(agent.agent_id, issued, no_trail).await.unwrap();
        Agent { certificate, ..agent.clone() }
    }

    /// A certificate of this Kernel's CA under any name, noted nowhere.
    pub(crate) fn issued(&self, tenant_id: TenantId, runtime_id: RuntimeId) -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap();
        let requested = RequestedKey::of(&STANDARD.encode(request.der())).unwrap();
        let name = AgentName { tenant_id, runtime_id };
        let life = Duration::from_secs(3_600);
        let issued =
            self.plane.authority.issue_agent(&requested, name, self.plane.now(), life).unwrap();
        CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap().to_vec()
    }

    /// A runtime of type courses, registered through an agent.
    pub(crate) async fn runtime_of(&self, agent: &Agent, tenant_id: TenantId) -> RuntimeId {
        let runtime_id: RuntimeId = self.plane.new_id();
        Ask::register_with(tenant_id, json!({"runtime_id": runtime_id}))
            .by_agent(agent)
            .of(self)
            .await
            .json();
        runtime_id
    }

    /// Issues a license and has it stand.
    pub(crate) fn license(&self, tenant_id: TenantId, members: Value) -> Value {
        let mut vendor = self.vendor.lock().unwrap();
        let license = vendor.issue(tenant_id, members);
        self.plane.replace_documents(vendor.standing());
        license
    }

    pub(crate) fn revoke(&self, licenses: &[&Value]) {
        let mut vendor = self.vendor.lock().unwrap();
        vendor.revoke(licenses);
        self.plane.replace_documents(vendor.standing());
    }

    pub(crate) async fn hold_tenant(&self, tenant_id: TenantId, standing: KernelStanding) {
        self.plane.storage.set_tenant_standing(tenant_id, standing, no_trail).await.unwrap();
    }

    pub(crate) async fn hold_runtime(
        &self,
        tenant_id: TenantId,
        runtime_id: RuntimeId,
        standing: KernelStanding,
    ) {
        let storage = &self.plane.storage;
        storage.set_runtime_standing(tenant_id, runtime_id, standing, no_trail).await.unwrap();
    }

    pub(crate) async fn hold_agent(&self, agent: &Agent, standing: KernelStanding) {
        let storage = &self.plane.storage;
        storage.set_agent_standing(agent.agent_id, standing, no_trail).await.unwrap();
    }

    /// What the Kernel's own chain holds of an organization under a type, oldest first.
    pub(crate) async fn events(&self, tenant_id: TenantId, kind: &str) -> Vec<Value> {
        let query = AuditQuery {
            tenant_id,
            from: None,
            to: None,
            kind_prefix: Some(kind.to_owned()),
            event_id: None,
            runtime_id: None,
            agent: None,
            text: None,
            order: Order::Oldest,
            after: None,
            limit: 1_000,
        };
        let page = self.plane.storage.audit_events(query).await.unwrap();
        page.events
            .iter()
            .filter_map(|entry| serde_json::from_slice(entry.event.as_ref()?).ok())
            .collect()
    }

    pub(crate) async fn mismatches(&self, tenant_id: TenantId) -> Vec<Alert> {
        let alerts = self.plane.storage.alerts_of(tenant_id, AlertFilter::Open, None, 100).await;
        let mut alerts = alerts.unwrap();
        alerts.retain(|alert| alert.code == AlertCode::TenantMismatch);
        alerts
    }
}

pub(crate) fn suspended() -> KernelStanding {
    KernelStanding { status: KernelStatus::Suspended, features_denied: BTreeSet::new() }
}

pub(crate) fn without(feature: &str) -> KernelStanding {
    KernelStanding {
        status: KernelStatus::Limited,
        features_denied: BTreeSet::from([feature.to_owned()]),
    }
}
