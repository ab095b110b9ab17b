//! Stage: a data directory, a control plane on it, and calls of its administrator.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use farhold_api::Answers;
use farhold_bundle::Signer;
use farhold_contract::{
    Code, Problem, Sha256Digest, Timestamp,
    call::enroll::EnrollToken,
    id::{RuntimeId, TenantId, TokenId},
    model::{DeploymentMode, RuntimeType},
};
use farhold_kernel::{
    admin,
    clock::Clock,
    config::Config,
    control_plane::ControlPlane,
    data_dir::DataDir,
    init::initialize,
    open::open,
    storage::{
        AuditQuery, Enrolled, Enrollment, Order, Origin, ProposedId, Registered, Registration,
        no_trail,
    },
};

/// 2027-01-15T08:00:00Z.
const NOW_MS: i64 = 1_800_000_000_000;

/// A clock that stands still unless told to go on.
#[derive(Clone)]
struct StageClock(Arc<AtomicI64>);

impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::Relaxed))
    }
}

/// A Kernel without its listeners.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) plane: Arc<ControlPlane>,
    router: Router,
    pub(crate) token: String,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path().join("kernel"));
        let clock = StageClock(Arc::new(AtomicI64::new(NOW_MS)));
        initialize(data.clone(), &[], &clock).await.unwrap();
        let config = Config::load(data.clone(), None).unwrap();
        let plane = Arc::new(open(config, Arc::new(clock)).await.unwrap());
        let router = farhold_api::refusing_the_rest(admin::routes(Arc::clone(&plane)));
        let token = data.text(data.admin_token()).unwrap();
        Self { folder, plane, router, token }
    }

    pub(crate) fn internal(&self) -> TenantId {
        self.plane.internal_tenant
    }

    pub(crate) fn get(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn ask(&self, method: Method, path: impl Into<String>) -> Ask<'_> {
        let headers = [
            ("x-tenant-id", self.internal().to_string()),
            ("x-contract-version", "v0.2".to_owned()),
            ("x-correlation-id", "stage-1".to_owned()),
            ("authorization", format!("Bearer {}", self.token)),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Ask { router: &self.router, method, path: path.into(), headers, body: Vec::new() }
    }

    pub(crate) fn post(&self, path: impl Into<String>, body: Value) -> Ask<'_> {
        self.ask(Method::POST, path).json(body)
    }

    pub(crate) fn put(&self, path: impl Into<String>, body: Value) -> Ask<'_> {
        self.ask(Method::PUT, path).json(body)
    }

    pub(crate) fn delete(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask(Method::DELETE, path)
    }

    /// Creates an organization.
    pub(crate) async fn tenant(&self, name: &str) -> TenantId {
        let asked = json!({"name": name, "type": "company"});
        let created = self.post("/kernel/admin/tenants", asked).answer().await.created();
        created["tenant_id"].as_str().unwrap().parse().unwrap()
    }

    /// Creates a runtime token: its id, and the token.
    pub(crate) async fn runtime_token(&self, tenant_id: TenantId) -> (TokenId, String) {
        let path = format!("/kernel/admin/tenants/{tenant_id}/runtime-tokens");
        let created = self.post(path, json!({"runtime_type": "courses"})).answer().await.created();
        let text = |member: &str| created[member].as_str().unwrap().to_owned();
        (text("token_id").parse().unwrap(), text("token"))
    }

    /// Registers a runtime at the Kernel itself.
    pub(crate) async fn runtime(&self, tenant_id: TenantId) -> RuntimeId {
        let (token_id, _) = self.runtime_token(tenant_id).await;
        let registration = Registration {
            tenant_id,
            origin: Origin::Token(token_id),
            id: ProposedId::Mint(self.plane.new_id()),
            kind: RuntimeType::Courses,
            deployment_mode: DeploymentMode::Shared,
            version: "4.2.0".to_owned(),
            capabilities: vec!["scorm".to_owned()],
            released_on: None,
            at: self.plane.now(),
        };
        match self.plane.storage.register(registration, no_trail).await.unwrap() {
            Registered::Fresh(runtime) => runtime.facts.runtime_id,
            _ => panic!("it registers for the first time"),
        }
    }

    /// Enrolls an agent with a token for these organizations. Needs a trust root.
    pub(crate) async fn agent(
        &self,
        tenants: &[TenantId],
    ) -> (RuntimeId, farhold_keys::FileSigner) {
        let asked = json!({"tenants": tenants});
        let created = self.post("/kernel/admin/enroll-tokens", asked).answer().await.created();
        let token: EnrollToken = created["token"].as_str().unwrap().parse().unwrap();
        let path = self.folder.path().join(format!("{}.key", created["token_id"]));
        let signer = farhold_keys::create(&path, None).unwrap();
        let secret = token.secret_bytes().unwrap();
        let enrollment = Enrollment {
            secret_hash: Sha256Digest::new(Sha256::digest(secret).into()),
            device_key: signer.public_key().clone(),
            runtime_id: self.plane.new_id(),
            agent_version: "0.1.0".to_owned(),
            at: self.plane.now(),
        };
        match self.plane.storage.enroll(enrollment, no_trail).await.unwrap() {
            Enrolled::Agent { agent, .. } => (agent.facts.runtime_id, signer),
            _ => panic!("the token is good"),
        }
    }

    /// The events of an organization of this type, oldest first; leaves none itself.
    pub(crate) async fn recorded(&self, tenant_id: TenantId, kind: &str) -> Vec<Value> {
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
        assert!(page.next.is_none());
        let events = page.events.into_iter();
        events.map(|entry| serde_json::from_slice(&entry.event.unwrap()).unwrap()).collect()
    }
}

/// One call.
#[derive(Clone)]
pub(crate) struct Ask<'s> {
    router: &'s Router,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask<'_> {
    pub(crate) fn json(self, body: Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with("content-type", kind)
    }

    pub(crate) fn with(self, name: &str, value: impl Into<String>) -> Self {
        let mut ask = self.without(name);
        ask.headers.push((name.to_owned(), value.into()));
        ask
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| given != name);
        self
    }

    pub(crate) fn bearing(self, tenant_id: TenantId, token: &str) -> Self {
        let ask = self.with("x-tenant-id", tenant_id.to_string());
        ask.with("authorization", format!("Bearer {token}"))
    }

    pub(crate) async fn answer(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = self.router.answer(request.body(Body::from(self.body)).unwrap()).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { path: self.path, status: head.status, headers: head.headers, body }
    }
}

/// What came back.
pub(crate) struct Answer {
    path: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        self.of(StatusCode::OK)
    }

    #[track_caller]
    pub(crate) fn created(self) -> Value {
        self.of(StatusCode::CREATED)
    }

    #[track_caller]
    pub(crate) fn done(self) {
        assert_eq!(self.status, StatusCode::NO_CONTENT, "{}: {}", self.path, self.text());
        assert!(self.body.is_empty());
    }

    #[track_caller]
    pub(crate) fn refused(self, code: Code) -> Problem {
        let problem: Problem = serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.path, self.text()));
        assert_eq!(problem.code, code, "{}: {problem:?}", self.path);
        assert_eq!(self.status.as_u16(), code.status());
        problem
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    fn of(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.path, self.text());
        serde_json::from_slice(&self.body).unwrap()
    }
}
