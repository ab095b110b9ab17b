//! The contract's calls, as an enrolled agent makes them.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    call::{
        batch::{BatchResponse, HeldHead, RefusedRecord},
        heartbeat::{HeartbeatAnswer, HeartbeatRequest},
        register::{RegisterRequest, RegisterResponse},
        resolve::{ResolveRequest, ResolveResponse},
    },
    id::{RuntimeId, TenantId},
    version::ContractVersion,
};

use super::{
    answer::{malformed_json, read_json},
    certificate::{safe_text, sha256},
    enrollment::Enrollment,
    error::{LinkError, LinkFailure},
    settings::LinkSettings,
    wire::{Incoming, JSON, JSON_LINES, NDJSON, Outgoing, Wire},
};

/// The Kernel, as an enrolled agent calls it. Cheap to clone; made anew after a renewal.
#[derive(Clone)]
pub struct KernelClient {
    wire: Arc<Wire>,
    tenant_id: TenantId,
    runtime_id: RuntimeId,
}

/// The answer to a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pulled {
    /// The bundle is the one the agent has.
    NotModified,
    /// Another one.
    Bundle {
        /// Its bytes; nothing of them is verified yet.
        bytes: Vec<u8>,
        /// Their hash: what the next pull and the next report name.
        digest: Sha256Digest,
    },
}

/// The answer to a batch.
#[derive(Debug, Clone)]
pub enum Pushed {
    /// The Kernel took it.
    Accepted(BatchResponse),
    /// The Kernel does not hold the head before it.
    Gap {
        /// The heads it holds.
        heads: Vec<HeldHead>,
        /// What it says about it.
        detail: Option<String>,
    },
}

impl KernelClient {
    /// The client of an enrollment. Its certificate is shown while it holds at `now`: with an
    /// ended one the Kernel could not even say so.
    ///
    /// # Errors
    /// [`LinkError`] with [`LinkFailure::Settings`] or [`LinkFailure::Identity`].
    pub fn new(
        enrollment: &Enrollment,
        kernel_ca: &[Sha256Digest],
        now: Timestamp,
        settings: &LinkSettings,
    ) -> Result<Self, LinkError> {
        let wire = wire_of(enrollment, kernel_ca, enrollment.current.holds_at(now), settings)?;
        let (tenant_id, runtime_id) = (enrollment.own_tenant(), enrollment.runtime_id);
        Ok(Self { wire: Arc::new(wire), tenant_id, runtime_id })
    }

    /// The versions the Kernel speaks, oldest first; those this build doesn't know are left out.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn contract(&self) -> Result<Vec<ContractVersion>, LinkError> {
        #[derive(Deserialize)]
        struct Contract {
            versions: Vec<String>,
        }
        let call = self.own(Method::GET, "/kernel/contract".to_owned());
        let contract: Contract = self.json(call).await?;
        Ok(contract.versions.iter().filter_map(|version| version.parse().ok()).collect())
    }

    /// Registers a runtime, or says anew what it is.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn register(
        &self,
        tenant_id: TenantId,
        request: &RegisterRequest,
    ) -> Result<RegisterResponse, LinkError> {
        let call = self.own(Method::POST, "/kernel/runtimes/register".to_owned());
        // v0.1: absent at registration.
        let call = Outgoing { tenant_id: Some(tenant_id), runtime_id: None, ..call };
        self.json(self.with_json(call, request)?).await
    }

    /// Says how the agent stands and is told what the Kernel takes away.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn heartbeat(
        &self,
        request: &HeartbeatRequest,
    ) -> Result<HeartbeatAnswer, LinkError> {
        let path = format!("/kernel/runtimes/{}/heartbeat", self.runtime_id);
        let call = self.with_json(self.own(Method::POST, path), request)?;
        let mut answer: Value = self.json(call).await?;
        // A Kernel that speaks a newer version too is not misunderstood for it.
        if let Some(Value::Array(versions)) = answer.get_mut("contract_versions") {
            let known = |text: &str| text.parse::<ContractVersion>().is_ok();
            versions.retain(|version| version.as_str().is_none_or(known));
        }
        serde_json::from_value(answer).map_err(|error| self.wire.error(malformed_json(&error)))
    }

    /// Pulls the bundle, unless it is the one the agent has.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn bundle(&self, have: Option<&Sha256Digest>) -> Result<Pulled, LinkError> {
        let path = format!("/kernel/agents/{}/bundle", self.runtime_id);
        let mut call = Outgoing {
            media_type: JSON_LINES,
            limit_bytes: self.wire.limits.bundle_bytes,
            within: self.wire.timeouts.transfer,
            ..self.own(Method::GET, path)
        };
        if let Some(etag) =
            have.and_then(|digest| HeaderValue::from_str(&format!("\"{digest}\"")).ok())
        {
            call.headers.insert(header::IF_NONE_MATCH, etag);
        }
        match self.wire.send(call).await? {
            Incoming::NotModified => Ok(Pulled::NotModified),
            Incoming::Content { body, etag } => {
                let digest = sha256(&body);
                if etag != Some(format!("\"{digest}\"")) {
                    let reason = "the bundle's bytes are not those its ETag names".to_owned();
                    return Err(self.wire.error(LinkFailure::Malformed { reason }));
                }
                Ok(Pulled::Bundle { bytes: body, digest })
            }
        }
    }

    /// Hands records over: a checkpoint and what it covers, NDJSON compressed by zstd.
    ///
    /// # Errors
    /// [`LinkError`]; `audit.gap` is an answer, [`Pushed::Gap`].
    pub async fn push_batch(&self, zstd: Bytes) -> Result<Pushed, LinkError> {
        let mut call = self.own(Method::POST, "/kernel/audit/batches".to_owned());
        call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
        call.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("zstd"));
        call.body = Some(zstd);
        call.within = self.wire.timeouts.transfer;
        match self.json::<BatchForm>(call).await {
            Ok(form) => Ok(Pushed::Accepted(form.into())),
            Err(LinkError { failure: LinkFailure::Problem(problem), .. })
                if problem.code == Some(Code::AuditGap) =>
            {
                Ok(Pushed::Gap { heads: problem.heads, detail: problem.detail })
            }
            Err(error) => Err(error),
        }
    }

    /// Resolves a provider's token for a runtime, under the runtime's own correlation id.
    ///
    /// # Errors
    /// [`LinkError`]; it never holds the token.
    pub async fn resolve(
        &self,
        tenant_id: TenantId,
        runtime_id: RuntimeId,
        external_token: &str,
        correlation_id: Option<&str>,
    ) -> Result<ResolveResponse, LinkError> {
        let call = Outgoing {
            tenant_id: Some(tenant_id),
            runtime_id: Some(runtime_id),
            correlation_id: correlation_id.map(str::to_owned),
            ..self.own(Method::POST, "/kernel/identity/resolve".to_owned())
        };
        let request = ResolveRequest { tenant_id, external_token: external_token.to_owned() };
        self.json(self.with_json(call, &request)?).await
    }

    /// A call of the agent itself.
    fn own(&self, method: Method, path: String) -> Outgoing {
        Outgoing {
            tenant_id: Some(self.tenant_id),
            runtime_id: Some(self.runtime_id),
            ..self.wire.call(method, path)
        }
    }

    fn with_json(&self, call: Outgoing, body: &impl Serialize) -> Result<Outgoing, LinkError> {
        let json = serde_json::to_vec(body).map_err(|error| {
            let reason = format!("the request can't be written ({error})");
            self.wire.error(LinkFailure::Other { reason })
        })?;
        Ok(with_json_bytes(call, json.into()))
    }

    async fn json<T: DeserializeOwned>(&self, call: Outgoing) -> Result<T, LinkError> {
        send_json(&self.wire, call).await
    }
}

/// The way to an enrollment's Kernel, with or without the agent's certificate.
pub(super) fn wire_of(
    enrollment: &Enrollment,
    kernel_ca: &[Sha256Digest],
    certified: bool,
    settings: &LinkSettings,
) -> Result<Wire, LinkError> {
    let anchors = enrollment.anchors(kernel_ca).map_err(|error| LinkError {
        kernel: enrollment.url.as_str().into(),
        proxy: None,
        failure: LinkFailure::Identity { reason: error.to_string() },
    })?;
    let identity = certified.then_some(&enrollment.current);
    Wire::new(&enrollment.url, &anchors, identity, settings)
}

pub(super) fn with_json_bytes(mut call: Outgoing, json: Bytes) -> Outgoing {
    call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    call.body = Some(json);
    call
}

pub(super) async fn send_json<T: DeserializeOwned>(
    wire: &Wire,
    call: Outgoing,
) -> Result<T, LinkError> {
    match wire.send(call).await? {
        Incoming::Content { body, .. } => read_json(&body).map_err(|failure| wire.error(failure)),
        Incoming::NotModified => {
            let reason = "it says that nothing changed".to_owned();
            Err(wire.error(LinkFailure::Malformed { reason }))
        }
    }
}

/// A batch's answer with codes as texts: those of a newer Kernel must not cost the receipt.
#[derive(Deserialize)]
struct BatchForm {
    epoch: String,
    seq: u64,
    head: Sha256Digest,
    refused: Vec<RefusedForm>,
    receipt: Box<RawValue>,
}

#[derive(Deserialize)]
struct RefusedForm {
    seq: u64,
    code: String,
    detail: String,
}

impl From<BatchForm> for BatchResponse {
    fn from(form: BatchForm) -> Self {
        let BatchForm { epoch, seq, head, refused, receipt } = form;
        let refused = refused.into_iter().map(RefusedRecord::from).collect();
        Self { epoch, seq, head, refused, receipt }
    }
}

impl From<RefusedForm> for RefusedRecord {
    fn from(RefusedForm { seq, code, detail }: RefusedForm) -> Self {
        match code.parse() {
            Ok(code) => Self { seq, code, detail },
            Err(_) => {
                let detail = format!("{}: {detail}", safe_text(code, 100));
                Self { seq, code: Code::EventRefused, detail }
            }
        }
    }
}
