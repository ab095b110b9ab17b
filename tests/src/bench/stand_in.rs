//! Stand-in: an agent as its Kernel sees it, without a store, a disk or a process of its own.
//!
//! Its key, certificate, reports and chain are real; thousands of them fit into one process.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zstd::bulk::Compressor;

use farhold_audit::{
    AgentStanding, ChainPosition, Class, Epoch, ExportWriter, Opening, Previous, Record, Withhold,
    checkpoint,
};
use farhold_bundle::{
    Envelope, Positive, Signer, Whole,
    payload::{Enroll, LicenseRef, RootRef},
    seal,
};
use farhold_contract::{
    Timestamp,
    call::{
        batch::BatchResponse,
        enroll::{EnrollResponse, EnrollToken},
        heartbeat::{Health, HeartbeatReport, HeartbeatRequest, ReportedLicense, ReportedRoot},
    },
    id::{RuntimeId, TenantId},
};
use farhold_keys::FileSigner;

use super::{
    product::Content,
    template::Template,
    wire::{Door, Identity, request},
};
use crate::site::Document;

/// As an agent compresses.
const ZSTD_LEVEL: i32 = 1;

/// An agent as its Kernel sees it.
pub(super) struct StandIn {
    device: FileSigner,
    /// Who it is at the Kernel's door.
    pub(super) identity: Identity,
    tenant_id: TenantId,
    runtime_id: RuntimeId,
    instance: [u8; 16],
    opening: Opening,
    at: ChainPosition,
    stands_on: Documents,
    event: Template,
}

/// The signed documents that a stand-in reports.
#[derive(Debug, Clone)]
pub(super) struct Documents {
    /// The trust root.
    pub(super) root: RootRef,
    /// The license in force.
    pub(super) license: LicenseRef,
}

/// A batch on its way: its records count once it is accepted.
pub(super) struct Sent {
    /// The request.
    pub(super) request: Vec<u8>,
    after: ChainPosition,
}

impl StandIn {
    /// Enrolls a new device by a token, over a connection of its own.
    ///
    /// # Errors
    /// If the Kernel refuses it.
    pub(super) async fn enroll(
        door: &Door,
        token: &str,
        device_key: &Path,
        stands_on: Documents,
        content: Content,
    ) -> Result<Self> {
        let device = farhold_keys::create(device_key, None)?;
        let token: EnrollToken = token.parse()?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        let asked = Enroll {
            secret: hex::encode(token.secret_bytes()?),
            csr: STANDARD.encode(parameters.serialize_request(&key)?.der()),
            device_key: device.public_key().clone(),
            agent_version: "0.2.0".to_owned(),
        };
        let headers = [
            ("content-type", "application/json"),
            ("x-contract-version", "v0.2"),
            ("x-correlation-id", "bench-0123456789abcdef"),
        ];
        let asked = request("POST", "/kernel/agents/enroll", &headers, &seal(&asked, &device)?);
        let mut wire = door.open(&door.nobody()?).await?;
        let answer: EnrollResponse = serde_json::from_slice(wire.exchange(&asked).await?.taken()?)?;
        let chain = answer.certificate + "\n" + &answer.chain.concat();
        let tenant_id = *answer.tenants.first().context("an agent has a tenant")?;
        let opening = Opening {
            device_key_id: device.public_key().id(),
            epoch: Epoch::new(*Uuid::now_v7().as_bytes()),
            previous: Previous::NONE,
        };
        Ok(Self {
            device,
            identity: door.certified(&chain, key.serialize_der())?,
            tenant_id,
            runtime_id: answer.runtime_id,
            instance: *Uuid::now_v7().as_bytes(),
            opening,
            at: ChainPosition::start(&opening),
            stands_on,
            event: event_of(tenant_id, content),
        })
    }

    /// What it writes from now on.
    pub(super) fn writes(&mut self, content: Content) {
        self.event = event_of(self.tenant_id, content);
    }

    /// A heartbeat with its report.
    ///
    /// # Errors
    /// If it can't be written.
    pub(super) fn heartbeat(&self) -> Result<Vec<u8>> {
        let Documents { root, license } = &self.stands_on;
        let now = now();
        let report = HeartbeatReport {
            instance: hex::encode(self.instance),
            root: Some(ReportedRoot { version: root.version.as_u64(), sha256: root.sha256 }),
            revocations: 0,
            licenses: vec![ReportedLicense {
                license_id: license.license_id,
                serial: license.serial.as_u64(),
                sha256: license.sha256,
            }],
            bundle_digest: None,
            runtimes: Vec::new(),
            epoch: self.opening.epoch.to_string(),
            seq: self.at.seq,
            head: self.at.head.into(),
            mark: now,
            wall: now,
            fingerprint: None,
        };
        let asked =
            HeartbeatRequest { status: Health::Healthy, metrics: None, report: Some(report) };
        let path = format!("/kernel/runtimes/{}/heartbeat", self.runtime_id);
        let body = serde_json::to_vec(&asked)?;
        Ok(self.request(&path, &[("content-type", "application/json")], &body))
    }

    /// The next so many records. They are the chain's from here on.
    ///
    /// # Errors
    /// If they make no batch.
    pub(super) fn batch(&mut self, records: u64) -> Result<Sent> {
        let (before, now) = (self.at, now());
        let records: Vec<Record> = (0..records)
            .map(|_| {
                let event = self.event.renew().to_vec();
                let salt = *Uuid::now_v7().as_bytes();
                Record::append(&mut self.at, now, self.tenant_id, Class::Usage, salt, event)
            })
            .collect();
        let device_key = self.device.public_key();
        let checkpoint =
            checkpoint(device_key, &self.opening, before, self.at, self.standing(now))?;
        let mut lines = Vec::new();
        let mut writer = ExportWriter::begin(&checkpoint, &self.device, &mut lines)?;
        for record in &records {
            writer.record(&record.wire(Withhold::Nothing)?, &mut lines)?;
        }
        writer.finish()?;
        let headers = [("content-type", "application/x-ndjson"), ("content-encoding", "zstd")];
        let body = Compressor::new(ZSTD_LEVEL)?.compress(&lines)?;
        let request = self.request("/kernel/audit/batches", &headers, &body);
        Ok(Sent { request, after: self.at })
    }

    fn request(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let (tenant_id, runtime_id) = (self.tenant_id.to_string(), self.runtime_id.to_string());
        let mut all = headers.to_vec();
        all.extend([
            ("x-tenant-id", tenant_id.as_str()),
            ("x-runtime-id", runtime_id.as_str()),
            ("x-contract-version", "v0.2"),
            ("x-correlation-id", "bench-0123456789abcdef"),
        ]);
        request("POST", path, &all, body)
    }

    fn standing(&self, now: Timestamp) -> AgentStanding {
        AgentStanding {
            runtime_id: Some(self.runtime_id),
            lost: BTreeMap::new(),
            wall: now,
            mark: now,
            instance: self.instance,
            root: Some(self.stands_on.root.clone()),
            revocations: Whole::MIN,
            licenses: vec![self.stands_on.license.clone()],
        }
    }
}

impl Sent {
    /// Holds the answer against what was sent.
    ///
    /// # Errors
    /// If the Kernel took less, or refuses an event.
    pub(super) fn is_accepted_by(&self, answer: &[u8]) -> Result<()> {
        let BatchResponse { seq, head, refused, .. } = serde_json::from_slice(answer)?;
        ensure!(seq == self.after.seq && head == self.after.head.into(), "it took up to {seq}");
        ensure!(refused.is_empty(), "it refuses {refused:?}");
        Ok(())
    }
}

impl Documents {
    /// Of the first root, whose payload has this hash, and of a license's payload.
    ///
    /// # Errors
    /// If they are none.
    pub(super) fn new(root_sha256: &str, license: &Document) -> Result<Self> {
        let line = license.bytes();
        let envelope = Envelope::open(line.trim_ascii_end())?;
        let sha256 = hex::encode(Sha256::digest(envelope.danger_unverified_payload()));
        let payload = license.payload();
        let license = json!({
            "license_id": payload["license_id"], "serial": payload["serial"], "sha256": sha256,
        });
        let root = json!({ "version": Positive::MIN, "sha256": root_sha256 });
        Ok(Self { root: serde_json::from_value(root)?, license: serde_json::from_value(license)? })
    }
}

fn event_of(tenant_id: TenantId, content: Content) -> Template {
    Template::new(content.event(&tenant_id.to_string(), &Uuid::now_v7().to_string()))
}

fn now() -> Timestamp {
    jiff::Timestamp::now().into()
}
