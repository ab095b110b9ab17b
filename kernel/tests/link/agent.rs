//! An agent, as small as one can be: its keys, its certificate, its chain.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use farhold_audit::{
    AgentStanding, ChainPosition, Class, Epoch, ExportWriter, Opening, Previous, Record, Withhold,
    checkpoint,
};
use farhold_bundle::{
    Positive, Signer, Whole,
    payload::{Enroll, Receipt, Renew},
    seal,
};
use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{RuntimeId, TenantId},
};
use farhold_keys::FileSigner;

use crate::world::{Identity, World, told};

pub(crate) struct Agent {
    pub(crate) device: FileSigner,
    pub(crate) runtime_id: RuntimeId,
    pub(crate) tenants: Vec<TenantId>,
    pub(crate) identity: Identity,
    pub(crate) client: Client,
    pub(crate) chain: Chain,
    pub(crate) instance: [u8; 16],
    pub(crate) _folder: TempDir,
}

impl Agent {
    /// Enrolls a new agent of these tenants.
    pub(crate) async fn enrolled(world: &World, tenants: &[TenantId]) -> Self {
        let secret = world.enroll_secret(tenants).await;
        let (device, folder) = device_key();
        let (key, csr) = key_and_csr();
        let (status, answer) = told(enroll(world, &device, &secret, &csr).await).await;
        assert_eq!(status, 200, "{answer}");
        let certificate = answer["certificate"].as_str().unwrap().to_owned();
        let identity = Identity { certificate, key };
        Self {
            client: world.client(Some(&identity)),
            chain: Chain::new(&device, farhold_kernel::random::bytes(), Previous::NONE),
            runtime_id: answer["runtime_id"].as_str().unwrap().parse().unwrap(),
            tenants: tenants.to_vec(),
            instance: farhold_kernel::random::bytes(),
            device,
            identity,
            _folder: folder,
        }
    }

    /// A call with every header of the contract.
    pub(crate) fn headed(&self, request: RequestBuilder) -> RequestBuilder {
        headed(request)
            .header("x-tenant-id", self.tenants[0].to_string())
            .header("x-runtime-id", self.runtime_id.to_string())
    }

    pub(crate) async fn pull(&self, world: &World, known: Option<&str>) -> Response {
        let url = world.url(&format!("/kernel/agents/{}/bundle", self.runtime_id));
        let mut request = self.headed(self.client.get(url));
        if let Some(etag) = known {
            request = request.header("if-none-match", etag);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn push(&self, world: &World, batch: Vec<u8>) -> Response {
        let url = world.url("/kernel/audit/batches");
        self.headed(self.client.post(url))
            .header("content-type", "application/x-ndjson")
            .header("content-encoding", "zstd")
            .body(batch)
            .send()
            .await
            .unwrap()
    }

    /// The batch of the records after `from`.
    pub(crate) fn batch(&self, from: usize) -> Vec<u8> {
        compressed(&self.lines(from))
    }

    /// Its lines.
    pub(crate) fn lines(&self, from: usize) -> Vec<u8> {
        self.chain.lines(from, &self.device, Some(self.runtime_id), self.instance)
    }

    /// The batch of the records after `from`, with the receipt for what comes before.
    pub(crate) fn batch_presenting(&self, from: usize, receipt: &[u8]) -> Vec<u8> {
        let receipt = Some(String::from_utf8(receipt.to_vec()).unwrap());
        let lines = self.chain.lines_presenting(
            from,
            receipt,
            &self.device,
            Some(self.runtime_id),
            self.instance,
        );
        compressed(&lines)
    }

    /// What a receipt says of this agent's chain up to its record `seq`.
    pub(crate) fn receipt_at(&self, seq: usize) -> Receipt {
        self.receipt_at_head(seq as u64, self.chain.positions[seq].head.into())
    }

    /// The same with a head that another agent's chain comes to.
    pub(crate) fn receipt_at_head(&self, seq: u64, head: Sha256Digest) -> Receipt {
        Receipt {
            device_key: self.device.public_key().clone(),
            epoch: self.chain.opening.epoch.to_string(),
            seq: Positive::new(seq).unwrap(),
            head,
            received_at: Timestamp::from_ms(1_790_000_000_000),
        }
    }

    /// Its own document for a new certificate.
    pub(crate) fn renewal(&self, csr: &str) -> Vec<u8> {
        renewal(self.runtime_id, &self.device, csr)
    }

    /// A heartbeat whose report is as the agent stands, with `more` in its place or besides.
    pub(crate) async fn heartbeat(&self, world: &World, more: &Value) -> (u16, Value) {
        let end = self.chain.end();
        let now = world.plane.now();
        let mut report = json!({
            "instance": hex::encode(self.instance),
            "revocations": 0,
            "licenses": [],
            "runtimes": [],
            "epoch": self.chain.opening.epoch,
            "seq": end.seq,
            "head": end.head,
            "mark": now,
            "wall": now,
        });
        for (member, value) in more.as_object().into_iter().flatten() {
            report[member] = value.clone();
        }
        let url = world.url(&format!("/kernel/runtimes/{}/heartbeat", self.runtime_id));
        let request = self.headed(self.client.post(url)).header("content-type", "application/json");
        let body = json!({"status": "healthy", "report": report}).to_string();
        told(request.body(body).send().await.unwrap()).await
    }
}

/// An audit chain, every record kept.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) opening: Opening,
    records: Vec<Record>,
    /// Where it stood before each record, and after the last.
    positions: Vec<ChainPosition>,
}

impl Chain {
    pub(crate) fn new(device: &FileSigner, epoch: [u8; 16], previous: Previous) -> Self {
        let device_key_id = device.public_key().id();
        let opening = Opening { device_key_id, epoch: Epoch::new(epoch), previous };
        Self { opening, records: Vec::new(), positions: vec![ChainPosition::start(&opening)] }
    }

    pub(crate) fn end(&self) -> ChainPosition {
        *self.positions.last().unwrap()
    }

    /// Appends `n` events of a tenant.
    pub(crate) fn grow(&mut self, tenant: TenantId, n: usize) {
        for _ in 0..n {
            let event = event(tenant, "feature.used", &json!({"n": self.records.len()}));
            self.append(tenant, Class::Usage, event.to_string());
        }
    }

    pub(crate) fn append(&mut self, tenant: TenantId, class: Class, event: String) {
        let mut position = self.end();
        let at = Timestamp::from_ms(1_790_000_000_000 + i64::try_from(position.seq).unwrap());
        let salt = farhold_kernel::random::bytes();
        let event = event.into_bytes();
        self.records.push(Record::append(&mut position, at, tenant, class, salt, event));
        self.positions.push(position);
    }

    /// As it was after `records`: a snapshot restored.
    pub(crate) fn restored(&self, records: usize) -> Self {
        let mut chain = self.clone();
        chain.records.truncate(records);
        chain.positions.truncate(records + 1);
        chain
    }

    pub(crate) fn lines(
        &self,
        from: usize,
        device: &FileSigner,
        runtime_id: Option<RuntimeId>,
        instance: [u8; 16],
    ) -> Vec<u8> {
        self.lines_presenting(from, None, device, runtime_id, instance)
    }

    fn lines_presenting(
        &self,
        from: usize,
        receipt: Option<String>,
        device: &FileSigner,
        runtime_id: Option<RuntimeId>,
        instance: [u8; 16],
    ) -> Vec<u8> {
        let standing = AgentStanding {
            runtime_id,
            lost: BTreeMap::new(),
            wall: Timestamp::from_ms(1_790_000_000_000),
            mark: Timestamp::from_ms(1_790_000_000_000),
            instance,
            root: None,
            revocations: Whole::new(0).unwrap(),
            licenses: Vec::new(),
        };
        let mut checkpoint = checkpoint(
            device.public_key(),
            &self.opening,
            self.positions[from],
            self.end(),
            standing,
        )
        .unwrap();
        checkpoint.receipt = receipt;
        let mut lines = Vec::new();
        let mut writer = ExportWriter::begin(&checkpoint, device, &mut lines).unwrap();
        for record in &self.records[from..] {
            writer.record(&record.wire(Withhold::Nothing).unwrap(), &mut lines).unwrap();
        }
        writer.finish().unwrap();
        lines
    }
}

/// An event of contract v0.1 §5.5.
pub(crate) fn event(tenant: TenantId, kind: &str, payload: &Value) -> Value {
    let now = Timestamp::from_ms(1_790_000_000_000);
    json!({
        "event_id": farhold_kernel::random::id_v7(now),
        "tenant_id": tenant,
        "actor_type": "user",
        "actor_id": "someone",
        "type": kind,
        "timestamp": now,
        "correlation_id": "c-1",
        "payload": payload,
    })
}

pub(crate) fn compressed(lines: &[u8]) -> Vec<u8> {
    zstd::encode_all(lines, 1).unwrap()
}

pub(crate) fn headed(request: RequestBuilder) -> RequestBuilder {
    request.header("x-contract-version", "v0.2").header("x-correlation-id", "test-1")
}

pub(crate) fn device_key() -> (FileSigner, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (farhold_keys::create(&folder.path().join("device.key"), None).unwrap(), folder)
}

/// A TLS key and a plain request for it.
pub(crate) fn key_and_csr() -> (KeyPair, String) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let csr = csr(&CertificateParams::default(), &key);
    (key, csr)
}

pub(crate) fn csr(params: &CertificateParams, key: &KeyPair) -> String {
    STANDARD.encode(params.serialize_request(key).unwrap().der())
}

pub(crate) async fn enroll(
    world: &World,
    device: &FileSigner,
    secret: &[u8; 32],
    csr: &str,
) -> Response {
    let document = Enroll {
        secret: hex::encode(secret),
        csr: csr.to_owned(),
        device_key: device.public_key().clone(),
        agent_version: "0.1.0".to_owned(),
    };
    post_document(world, None, "/kernel/agents/enroll", seal(&document, device).unwrap()).await
}

/// A renewal, over a connection with or without the agent's certificate.
pub(crate) async fn renew(
    world: &World,
    agent: &Agent,
    device: &FileSigner,
    identity: Option<&Identity>,
    csr: &str,
) -> Response {
    let path = format!("/kernel/agents/{}/certificate", agent.runtime_id);
    let url = world.url(&path);
    agent
        .headed(world.client(identity).post(url))
        .header("content-type", "application/json")
        .body(renewal(agent.runtime_id, device, csr))
        .send()
        .await
        .unwrap()
}

fn renewal(runtime_id: RuntimeId, device: &FileSigner, csr: &str) -> Vec<u8> {
    let document = Renew {
        runtime_id,
        csr: csr.to_owned(),
        nonce: hex::encode(farhold_kernel::random::bytes::<16>()),
        wall: Timestamp::from_ms(0),
    };
    seal(&document, device).unwrap()
}

pub(crate) async fn post_document(
    world: &World,
    identity: Option<&Identity>,
    path: &str,
    line: Vec<u8>,
) -> Response {
    headed(world.client(identity).post(world.url(path)))
        .header("content-type", "application/json")
        .body(line)
        .send()
        .await
        .unwrap()
}
