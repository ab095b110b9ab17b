//! A Kernel behind its doors, its vendor, and a clock that the test sets.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::sync::watch;

use farhold_bundle::{Standing, plan_import};
use farhold_contract::{
    AlertCode, Sha256Digest, Timestamp,
    call::heartbeat::KernelStanding,
    id::TenantId,
    model::{Policies, SecurityLevel, TenantType},
};
use farhold_kernel::{
    clock::{Clock, SystemClock},
    config::Config,
    control_plane::ControlPlane,
    data_dir::DataDir,
    doors::Doors,
    init::initialize,
    open,
    rotate::rotate_ca,
    run::Serving,
    storage::{AlertFilter, EnrollToken, Tenant, no_trail},
};

use crate::vendor::{Vendor, tenant_a, tenant_b};

/// The system's clock, moved by the test.
pub(crate) struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(SystemClock.now().as_ms() + self.0.load(Ordering::Relaxed))
    }
}

pub(crate) struct World {
    pub(crate) plane: Arc<ControlPlane>,
    pub(crate) vendor: Vendor,
    pub(crate) port: u16,
    clock: Arc<MovedClock>,
    stop: watch::Sender<bool>,
    serving: Serving,
    _folder: TempDir,
}

impl World {
    /// A Kernel with the vendor's root and the two tenants.
    pub(crate) async fn new() -> Self {
        Self::with("", 0).await
    }

    /// The same with other settings, its clock moved by so many milliseconds.
    pub(crate) async fn with(settings: &str, clock_ms: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(folder.path().join("data"));
        let clock = Arc::new(MovedClock(AtomicI64::new(clock_ms)));
        let made = initialize(data_dir.clone(), &[], &*clock).await.unwrap();
        let vendor = Vendor::new(folder.path(), &made.receipt_key);
        let text = format!("listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n{settings}");
        let config = Config::from_toml(data_dir, Path::new("test"), &text).unwrap();

        let world = Self::serving(config, vendor, clock, folder).await;
        for tenant_id in [tenant_a(), tenant_b()] {
            world.create_tenant(tenant_id).await;
        }
        world.plane.storage.put_documents(vec![world.vendor.root_line()], no_trail).await.unwrap();
        world.plane.replace_documents(Standing::with_trust(world.vendor.trust()));
        world
    }

    async fn serving(
        config: Config,
        vendor: Vendor,
        clock: Arc<MovedClock>,
        folder: TempDir,
    ) -> Self {
        let doors = Doors::bind(&config).unwrap();
        let port = doors.addresses().unwrap().0.port();
        let plane = open::open(config, Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
        let plane = Arc::new(plane);
        let (stop, stopped) = watch::channel(false);
        let serving = Serving::begin(doors, &plane, stopped).unwrap();
        Self { plane, vendor, port, clock, stop, serving, _folder: folder }
    }

    /// The same Kernel, stopped, given a new CA, and started again.
    pub(crate) async fn with_a_new_ca(self) -> Self {
        let Self { plane, vendor, clock, stop, mut serving, _folder, .. } = self;
        stop.send_replace(true);
        while serving.doors.join_next().await.is_some() {}
        let config = plane.config.clone();
        drop(plane);
        rotate_ca(&config.data_dir, clock.now()).unwrap();
        Self::serving(config, vendor, clock, _folder).await
    }

    /// Moves the Kernel's clock.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// Uploads documents, as the administrator's call does.
    pub(crate) async fn upload(&self, lines: &[Vec<u8>]) {
        let bundle: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
        let _importing = self.plane.importing.lock().await;
        let standing = self.plane.documents().standing.clone();
        let plan = plan_import(&standing, &bundle, None, self.plane.now()).unwrap();
        let lines = plan.standing.lines().map(<[u8]>::to_vec).collect();
        self.plane.storage.put_documents(lines, no_trail).await.unwrap();
        self.plane.replace_documents(plan.standing);
    }

    /// An enrollment token's secret for these tenants, of 24 hours.
    pub(crate) async fn enroll_secret(&self, tenants: &[TenantId]) -> [u8; 32] {
        let secret = farhold_kernel::random::bytes::<32>();
        let now = self.plane.now();
        let token = EnrollToken {
            token_id: self.plane.new_id(),
            secret_hash: Sha256Digest::new(Sha256::digest(secret).into()),
            root_sha256: self.vendor.root_sha256(),
            tenants: tenants.to_vec(),
            created_at: now,
            expires_at: now + Duration::from_hours(24),
            revoked_at: None,
            used: None,
        };
        self.plane.storage.create_enroll_token(token, no_trail).await.unwrap();
        secret
    }

    /// The open alerts, oldest first: code, and how often it was noticed.
    pub(crate) async fn alerts(&self) -> Vec<(AlertCode, u64)> {
        let alerts = self.plane.storage.alerts(AlertFilter::Open, None, 100).await.unwrap();
        let mut found: Vec<_> =
            alerts.iter().map(|alert| (alert.raised_at, alert.code, alert.count)).collect();
        found.sort();
        found.into_iter().map(|(_, code, count)| (code, count)).collect()
    }

    /// A client that trusts the Kernel's CA alone, with or without a certificate.
    pub(crate) fn client(&self, identity: Option<&Identity>) -> reqwest::Client {
        self.client_trusting(&self.plane.authority.certificates()[..1], identity)
    }

    /// A client that trusts these alone.
    pub(crate) fn client_trusting(
        &self,
        anchors: &[CertificateDer<'static>],
        identity: Option<&Identity>,
    ) -> reqwest::Client {
        let config = tls(anchors, identity);
        reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .resolve("localhost", ([127, 0, 0, 1], self.port).into())
            .build()
            .unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    async fn create_tenant(&self, tenant_id: TenantId) {
        let tenant = Tenant {
            tenant_id,
            kind: TenantType::Company,
            name: None,
            standing: KernelStanding::ACTIVE,
            policies: Policies { security_level: SecurityLevel::Standard, data_residency: None },
            created_at: self.plane.now(),
        };
        self.plane.storage.create_tenant(tenant, no_trail).await.unwrap();
    }
}

pub(crate) fn tls(
    trusted: &[CertificateDer<'static>],
    identity: Option<&Identity>,
) -> rustls::ClientConfig {
    let mut anchors = rustls::RootCertStore::empty();
    for certificate in trusted {
        anchors.add(certificate.clone()).unwrap();
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(anchors);
    match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let key = PrivateKeyDer::Pkcs8(identity.key.serialize_der().into());
            builder.with_client_auth_cert(identity.chain(), key).unwrap()
        }
    }
}

/// A client certificate and its key.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: rcgen::KeyPair,
}

impl Identity {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.certificate.as_bytes()).map(Result::unwrap).collect()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.chain().remove(0)
    }
}

/// An answer: status and JSON, where it has any.
pub(crate) async fn told(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// The code of a problem.
pub(crate) async fn code(response: reqwest::Response) -> String {
    let (status, body) = told(response).await;
    assert_eq!(body["status"], status, "{body}");
    body["code"].as_str().unwrap_or_default().to_owned()
}
