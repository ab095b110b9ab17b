//! Rogue: an agent whose host is in other hands. It is enrolled and holds its keys, and says and
//! signs what it likes.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use farhold_audit::{
    AgentStanding, ChainPosition, Class, Epoch, ExportWriter, Opening, Previous, Record, Withhold,
    checkpoint,
};
use farhold_bundle::{Signer, Whole, payload::Enroll, seal};
use farhold_contract::{Timestamp, call::enroll::EnrollToken};
use farhold_keys::FileSigner;
use farhold_tests::{
    http::{Address, Answer},
    kernel_process::{EnrollmentToken, Kernel},
    net::{Identity, Tunnel},
    site::ids,
};

use crate::line::Line;

/// An enrolled agent that means harm.
pub(crate) struct Rogue {
    pub(crate) tenant: String,
    pub(crate) agent: String,
    device: FileSigner,
    _tunnel: Tunnel,
    line: Line,
    instance: [u8; 16],
    _folder: TempDir,
}

/// A run of records in an epoch of its own.
pub(crate) struct Run {
    pub(crate) opening: Opening,
    pub(crate) before: ChainPosition,
    pub(crate) after: ChainPosition,
    records: Vec<Record>,
}

impl Rogue {
    /// Enrolls at a Kernel for these organizations, the first its own.
    pub(crate) fn enrolled(kernel: &Kernel, tenants: &[&str]) -> Self {
        let token = kernel.enrollment_token(tenants);
        let (device, folder) = device_key();
        let (key, csr) = key_and_csr();
        let door = kernel.tunnel(None);
        let answer = enroll(&door.door(), &token, &device, &csr);
        let told = answer.json().unwrap();
        assert_eq!(answer.status, 200, "{told}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let identity = Identity { certificate: text(&told["certificate"]), key };
        let tunnel = kernel.tunnel(Some(&identity));
        Self {
            tenant: tenants[0].to_owned(),
            agent: text(&told["runtime_id"]),
            line: Line::to(&tunnel.door()),
            _tunnel: tunnel,
            device,
            instance: bytes(),
            _folder: folder,
        }
    }

    /// A call in its own name.
    pub(crate) fn call(&mut self, method: &str, target: &str, body: &[u8]) -> Answer {
        let (tenant, agent) = (self.tenant.clone(), self.agent.clone());
        self.call_as(&tenant, Some(&agent), method, target, body)
    }

    /// A call in somebody's name.
    pub(crate) fn call_as(
        &mut self,
        tenant: &str,
        runtime: Option<&str>,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Answer {
        let mut headers = vec![
            ("x-contract-version", "v0.2"),
            ("x-correlation-id", "c-rogue"),
            ("x-tenant-id", tenant),
        ];
        headers.extend(runtime.map(|runtime| ("x-runtime-id", runtime)));
        if target.ends_with("/batches") {
            headers.push(("content-type", "application/x-ndjson"));
            headers.push(("content-encoding", "zstd"));
        } else if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        self.line.call(method, target, &headers, body).unwrap()
    }

    /// A heartbeat that reports this, and nothing else that would be noticed.
    pub(crate) fn reports(&mut self, more: &Value) -> Answer {
        let now = now();
        let mut report = json!({
            "instance": hex::encode(self.instance), "revocations": 0, "licenses": [],
            "runtimes": [], "epoch": "ab".repeat(16), "seq": 0, "head": "00".repeat(32),
            "mark": now, "wall": now,
        });
        for (member, value) in more.as_object().unwrap() {
            report[member] = value.clone();
        }
        let target = format!("/kernel/runtimes/{}/heartbeat", self.agent);
        let body = json!({"status": "healthy", "report": report}).to_string();
        self.call("POST", &target, body.as_bytes())
    }

    /// A run of records of these organizations, each with an event of this type by this actor, in
    /// an epoch that says this came before it.
    pub(crate) fn run(&self, previous: Previous, events: &[(&str, &str, &str)]) -> Run {
        let device_key_id = self.device.public_key().id();
        let opening = Opening { device_key_id, epoch: Epoch::new(bytes()), previous };
        self.run_after(opening, ChainPosition::start(&opening), events)
    }

    /// The same, after a place in an epoch.
    pub(crate) fn run_after(
        &self,
        opening: Opening,
        before: ChainPosition,
        events: &[(&str, &str, &str)],
    ) -> Run {
        let mut after = before;
        let records = events
            .iter()
            .map(|(tenant, kind, actor)| {
                let event = json!({
                    "event_id": ids::v7(), "tenant_id": tenant, "actor_type": actor,
                    "actor_id": "farhold-kernel", "type": kind,
                    "timestamp": "2026-11-22T07:00:00Z", "correlation_id": "c-1", "payload": {},
                });
                let (tenant, class) = (tenant.parse().unwrap(), Class::of(kind));
                let event = event.to_string().into_bytes();
                Record::append(&mut after, now(), tenant, class, bytes(), event)
            })
            .collect();
        Run { opening, before, after, records }
    }

    /// Hands a run over.
    pub(crate) fn pushes(&mut self, run: &Run) -> Answer {
        let standing = AgentStanding {
            runtime_id: Some(self.agent.parse().unwrap()),
            lost: BTreeMap::new(),
            wall: now(),
            mark: now(),
            instance: self.instance,
            root: None,
            revocations: Whole::new(0).unwrap(),
            licenses: Vec::new(),
        };
        let Run { opening, before, after, records } = run;
        let signed =
            checkpoint(self.device.public_key(), opening, *before, *after, standing).unwrap();
        let mut lines = Vec::new();
        let mut writer = ExportWriter::begin(&signed, &self.device, &mut lines).unwrap();
        for record in records {
            writer.record(&record.wire(Withhold::Nothing).unwrap(), &mut lines).unwrap();
        }
        writer.finish().unwrap();
        let body = zstd::encode_all(&lines[..], 1).unwrap();
        self.call("POST", "/kernel/audit/batches", &body)
    }
}

/// Shows an enrollment token.
pub(crate) fn enroll(
    door: &Address,
    token: &EnrollmentToken,
    device: &FileSigner,
    csr: &str,
) -> Answer {
    let token: EnrollToken = token.text.parse().unwrap();
    let document = Enroll {
        secret: hex::encode(token.secret_bytes().unwrap()),
        csr: csr.to_owned(),
        device_key: device.public_key().clone(),
        agent_version: "0.0.0".to_owned(),
    };
    let body = seal(&document, device).unwrap();
    let headers = [
        ("x-contract-version", "v0.2"),
        ("x-correlation-id", "c-rogue"),
        ("content-type", "application/json"),
    ];
    door.call("POST", "/kernel/agents/enroll", &headers, &body).unwrap()
}

/// A new device key, and the folder it lies in.
pub(crate) fn device_key() -> (FileSigner, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = folder.path();
    (farhold_keys::create(&path.join("device.key"), None).unwrap(), folder)
}

/// A key for TLS in PEM, and a request for its certificate.
pub(crate) fn key_and_csr() -> (String, String) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap();
    (key.serialize_pem(), STANDARD.encode(request.der()))
}

/// Bytes that nobody has used before.
pub(crate) fn bytes() -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(ids::v7()).into();
    let (half, _) = digest.split_at(16);
    half.try_into().unwrap()
}

/// A hash of nothing.
pub(crate) fn hash() -> String {
    hex::encode(Sha256::digest(ids::v7()))
}

pub(crate) fn now() -> Timestamp {
    jiff::Timestamp::now().into()
}
