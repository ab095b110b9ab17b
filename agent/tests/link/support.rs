//! A Kernel that says what a test wants, and everything around it.

mod ca;
mod proxy;
pub(super) mod server;

use std::{sync::Arc, time::Duration};

use farhold_agent::link::{
    ClientIdentity, Enrollment, KernelClient, LinkError, LinkSettings, Phase, ProxySettings,
    ResolverFiles, SystemResolver, Timeouts, TlsKeyPair,
};
use farhold_contract::{
    Timestamp,
    id::{RuntimeId, TenantId},
};
use farhold_keys::FileSigner;
use tempfile::TempDir;

pub(super) use self::{
    ca::{Ca, Life},
    proxy::ConnectProxy,
    server::{Reply, Seen, Server, http},
};

/// The host that every test's Kernel has.
pub(super) const HOST: &str = "kernel.test";

/// One test's place: files, names and clocks of its own.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) settings: LinkSettings,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().join("hosts");
        std::fs::write(&hosts, format!("127.0.0.1 {HOST} other.test proxy.test\n")).unwrap();
        let files =
            ResolverFiles { resolv_conf: folder.path().join("resolv.conf"), hosts, port: 53 };
        let timeouts = Timeouts {
            connect: Duration::from_secs(5),
            resolve: Duration::from_secs(2),
            answer: Duration::from_secs(5),
            transfer: Duration::from_secs(5),
        };
        let settings = LinkSettings {
            timeouts,
            resolver: Arc::new(SystemResolver::new(files, timeouts.resolve)),
            ..LinkSettings::new(ProxySettings::default())
        };
        Self { folder, settings }
    }

    /// A bench whose connections, or whose answers, are given up at once.
    pub(super) fn impatient(phase: Phase) -> Self {
        let mut bench = Self::new();
        let timeouts = &mut bench.settings.timeouts;
        match phase {
            Phase::Connection => timeouts.connect = Duration::from_millis(100),
            Phase::Answer => timeouts.answer = Duration::from_millis(200),
        }
        bench
    }

    pub(super) fn device(&self) -> FileSigner {
        let path = self.folder.path().join("device.key");
        if path.exists() {
            farhold_keys::load(&path, None).unwrap()
        } else {
            farhold_keys::create(&path, None).unwrap()
        }
    }

    /// The client of an agent enrolled under `ca` at a server.
    pub(super) fn client(&self, ca: &Ca, url: &str) -> KernelClient {
        KernelClient::new(&enrollment(ca, url, Life::NOW), &[], now(), &self.settings).unwrap()
    }

    /// What the shortest call meets there.
    pub(super) async fn failure(&self, ca: &Ca, url: &str) -> LinkError {
        self.client(ca, url).contract().await.unwrap_err()
    }
}

pub(super) fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}

pub(super) fn tenant() -> TenantId {
    "01976d3a-5b6c-7d8e-8f90-a1b2c3d4e5f6".parse().unwrap()
}

pub(super) fn agent() -> RuntimeId {
    "01976d3a-5b6c-7d8e-8f90-a1b2c3d4e5f7".parse().unwrap()
}

/// The standing of an agent whose certificate has this life.
pub(super) fn enrollment(ca: &Ca, url: &str, life: Life) -> Enrollment {
    let key = TlsKeyPair::generate().unwrap();
    let certificate = ca.client(&key.request_der().unwrap(), tenant(), agent(), life);
    Enrollment {
        url: url.to_owned(),
        tenants: vec![tenant()],
        runtime_id: agent(),
        ca: vec![ca.pem()],
        current: ClientIdentity::new(certificate, vec![ca.pem()], &key).unwrap(),
        previous: None,
    }
}
