//! A site in this process: the real store, owner and routes, with a vendor, a machine and a clock
//! of the test's own.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

mod clock;
mod running;
mod vendor;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};

use axum::body::Body;
use farhold_agent::{
    admin::{self, Admin},
    assembly::Assembly,
    config::{Config, RawConfig},
    importer::Importer,
    machine::Machine,
    owner::{CreateToken, Owner, Register},
    site::Place,
};
use farhold_contract::{
    Sha256Digest, Timestamp,
    call::register::RegisterRequest,
    id::{RuntimeId, TenantId, TokenId},
    model::{DeploymentMode, RuntimeType},
};
use farhold_store::TokenRow;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) use self::{
    clock::SetClock,
    running::{Running, farhold},
    vendor::{TENANT, Vendor},
};

/// Noon of a day on which every license of these tests holds.
pub(crate) const NOON: &str = "2026-11-22T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A site that no Kernel leads.
pub(crate) fn detached() -> String {
    format!("mode = \"detached\"\ntenant_id = \"{TENANT}\"\n")
}

/// What a site is configured as, with its state, its sockets and its trust file in a folder.
pub(crate) fn configuration(written: &str, at: &Path) -> String {
    format!(
        "{written}state_dir = \"{0}/state\"\nruntime_dir = \"{0}/run\"\n\
         queue.cap = \"64MiB\"\ntrust.file = \"{0}/packaged.json\"\n",
        at.display()
    )
}

pub(crate) fn resolved(configuration: &str) -> Config {
    let mut raw = RawConfig::default();
    raw.lay_file("agent.toml".as_ref(), configuration).unwrap();
    Config::resolve(&raw).unwrap()
}

/// What lies on the disk, and what survives a restart.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<SetClock>,
}

/// A site that runs.
pub(crate) struct Stage {
    pub(crate) admin: Arc<Admin>,
    pub(crate) importer: Arc<Importer>,
    pub(crate) owner: Owner,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) state_dir: PathBuf,
    thread: JoinHandle<()>,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machine = folder.path().join("machine");
        for (file, value) in [
            ("etc/machine-id", "4f1c9a0be27d4e53a8f06b1d2c3e4f5a\n"),
            ("sys/class/dmi/id/product_uuid", "4c4c4544-0042-3510-8056-b4c04f4d3232\n"),
            ("sys/class/net/eth0/address", "00:1b:21:aa:bb:01\n"),
            ("sys/class/net/eth0/addr_assign_type", "0\n"),
            ("sys/class/net/eth0/device/uevent", "\n"),
        ] {
            let path = machine.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, value).unwrap();
        }
        Self { folder, clock: Arc::new(SetClock::at(at(NOON))) }
    }

    /// A detached site.
    pub(crate) fn start(&self) -> Stage {
        self.start_as(&detached())
    }

    /// A site with this configuration.
    pub(crate) fn start_as(&self, written: &str) -> Stage {
        let at = self.folder.path();
        let config = resolved(&configuration(written, at));
        let machine = Machine::at(at.join("machine"), &config);
        Stage::open(&config, machine, Arc::clone(&self.clock))
    }
}

impl Stage {
    fn open(config: &Config, machine: Machine, clock: Arc<SetClock>) -> Self {
        let assembly = Assembly::new(config, machine, Arc::clone(&clock) as _).unwrap();
        let Assembly { admin, owner_thread: thread, .. } = assembly;
        let (importer, owner) = (Arc::clone(&admin.importer), admin.owner.clone());
        Self { admin, importer, owner, clock, state_dir: config.state_dir.clone(), thread }
    }

    /// With the vendor's first root, as `trust install` leaves it.
    pub(crate) async fn trusting(self, vendor: &Vendor) -> Self {
        let root = vendor.first_root();
        let sha256 = farhold_bundle::TrustRoot::install(root.trim_ascii_end(), None)
            .unwrap()
            .root()
            .sha256();
        let installed = self.post(&format!("/admin/trust?sha256={sha256}"), &root).await;
        assert_eq!(installed.0, StatusCode::OK, "{}", installed.1);
        self
    }

    /// The site goes down; what it kept lies in its folder.
    pub(crate) fn stop(self) {
        let Self { admin, importer, owner, thread, .. } = self;
        drop((admin, importer, owner));
        thread.join().unwrap();
    }

    pub(crate) fn place(&self) -> &Place {
        &self.admin.place
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call(Method::GET, path, Vec::new()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    pub(crate) async fn asks(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, Vec::new()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &[u8]) -> (StatusCode, Value) {
        self.call(Method::POST, path, body.to_vec()).await
    }

    /// Imports a bundle that is taken.
    pub(crate) async fn imports(&self, bundle: &[u8]) -> Value {
        let (status, answer) = self.post("/admin/import", bundle).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    pub(crate) async fn previews(&self, bundle: &[u8]) -> Value {
        let (status, answer) = self.post("/admin/import?dry_run=true", bundle).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// Whether a condition stands, with its hint.
    pub(crate) async fn condition(&self, code: &str) -> Option<String> {
        let status = self.get("/statusz").await;
        let conditions = status["conditions"].as_array().unwrap().clone();
        let found = conditions.into_iter().find(|condition| condition["code"] == code)?;
        Some(found["hint"].as_str().unwrap().to_owned())
    }

    /// A runtime that has registered.
    pub(crate) async fn runtime(&self, runtime_type: RuntimeType) -> RuntimeId {
        let token_id = TokenId::from_uuid(uuid::Uuid::now_v7()).unwrap();
        let row = TokenRow {
            token_id,
            hash: Sha256Digest::new(*token_id.to_string().as_bytes().first_chunk().unwrap()),
            tenant_id: tenant(),
            runtime_type,
            name: None,
            created_at: at(NOON),
            revoked_at: None,
        };
        self.owner.submit(CreateToken { row }).await.unwrap();
        let request = RegisterRequest {
            tenant_id: tenant(),
            runtime_type,
            deployment_mode: DeploymentMode::OnPrem,
            version: "1.0.0".to_owned(),
            capabilities: Vec::new(),
            runtime_id: None,
            released_on: None,
        };
        let register = Register { token_id, request, correlation_id: "c-1".into() };
        self.owner.submit(register).await.unwrap().unwrap().runtime_id
    }

    /// Every event recorded of one type, oldest first.
    pub(crate) async fn events(&self, kind: &str) -> Vec<Value> {
        let tail = self.get("/admin/audit/tail?count=1000").await;
        let records = tail["records"].as_array().unwrap().iter();
        let events =
            records.map(|record| serde_json::from_str(record["event"].as_str().unwrap()).unwrap());
        events.filter(|event: &Value| event["type"] == kind).collect()
    }

    pub(crate) fn records(&self) -> u64 {
        self.owner.snapshot().chain.seq
    }

    pub(crate) fn second_copy(&self) -> Vec<u8> {
        std::fs::read(self.state_dir.join("current.bundle")).unwrap_or_default()
    }

    async fn call(&self, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
        let answer = admin::routes(Arc::clone(&self.admin)).oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

pub(crate) fn tenant() -> TenantId {
    TENANT.parse().unwrap()
}
