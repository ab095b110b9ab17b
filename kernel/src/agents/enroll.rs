//! `POST /kernel/agents/enroll`: a new agent becomes the Kernel's delegate at a site.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use sha2::{Digest, Sha256};

use farhold_api::{Limits, Refusal, answer, json, read};
use farhold_bundle::{
    Envelope, PublicKey, RefusalReason, Verified,
    payload::{DocumentType, Enroll},
    verify_device_document,
};
use farhold_contract::{
    AlertCode, Code, Sha256Digest, Timestamp,
    call::enroll::EnrollResponse,
    id::{RuntimeId, TenantId, TokenId},
};

use crate::{
    agents::{BODY_BYTES, head},
    ca::{AgentName, CsrError, RequestedKey},
    control_plane::ControlPlane,
    incident,
    own_event::OwnEvent,
    refusal::stored,
    storage::{EnrollUse, Enrolled, Enrollment, IssuedCertificate, NewAlert, Trail, no_trail},
};

pub(super) async fn enroll(State(plane): State<Arc<ControlPlane>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    answer(&head.headers, async {
        let correlation_id = head::correlation_id(&head.headers)?;
        let body = read(&head.headers, body, BODY_BYTES, Limits::STANDARD.body_time).await?;
        json(&admit(&plane, &body, &correlation_id).await?)
    })
    .await
}

async fn admit(
    plane: &ControlPlane,
    body: &[u8],
    correlation_id: &str,
) -> Result<EnrollResponse, Refusal> {
    let document = verified(body)?;
    // Before the token is used up: what can't be certified must not cost it.
    let key = RequestedKey::of(&document.csr).map_err(unusable_csr)?;
    let now = plane.now();
    let enrollment = Enrollment {
        secret_hash: secret_hash(&document)?,
        device_key: document.device_key.clone(),
        runtime_id: plane.new_id(),
        agent_version: document.agent_version.clone(),
        at: now,
    };
    let leaves = Arc::new(Leaves {
        device_key: document.device_key.clone(),
        agent_version: document.agent_version.clone(),
        correlation_id: correlation_id.into(),
        now,
    });
    let left = Arc::clone(&leaves);
    let enrolled = plane
        .storage
        .enroll(enrollment, move |enrolled| left.trail(enrolled))
        .await
        .map_err(stored)?;
    let (agent, root) = match enrolled {
        Enrolled::Agent { agent, root_sha256, .. } => (agent, root_line(plane, root_sha256)?),
        Enrolled::Invalid => return Err(Code::EnrollTokenInvalid.into()),
        Enrolled::UsedByAnother { token_id, tenants, used } => {
            leaves.told(plane, token_id, &tenants, &used).await;
            return Err(Code::EnrollTokenUsed.into());
        }
    };
    let name =
        AgentName { tenant_id: agent.facts.own_tenant(), runtime_id: agent.facts.runtime_id };
    let issued = plane
        .authority
        .issue_agent(&key, name, now, plane.config.certificate_life)
        .map_err(unusable_csr)?;
    let noted = IssuedCertificate { fingerprint: issued.sha256, not_after: issued.not_after };
    plane.storage.note_certificate(name.runtime_id, noted, no_trail).await.map_err(stored)?;
    Ok(EnrollResponse {
        certificate: issued.pem,
        chain: plane.authority.certificates_pem(),
        tenants: agent.facts.tenants.clone(),
        runtime_id: name.runtime_id,
        root: raw(root)?,
    })
}

/// The root that a token named when it was made, whatever has followed it since: the agent checks
/// that, and walks on from there.
fn root_line(plane: &ControlPlane, sha256: Sha256Digest) -> Result<Vec<u8>, Refusal> {
    let documents = plane.documents();
    let named = documents.standing.roots().iter().find(|root| root.root().sha256() == sha256);
    named.map(|root| root.root().line().to_vec()).ok_or_else(|| {
        Refusal::new(Code::TrustMissing, "the trust root that the token names does not stand here")
    })
}

/// The document, by the device key that it names itself: who holds that key may use the token, so
/// that nobody enrolls a key that is not theirs.
fn verified(body: &[u8]) -> Result<Verified<Enroll>, Refusal> {
    let envelope = opened(body)?;
    if envelope.kind() != DocumentType::Enroll {
        let detail = format!("an enroll document is needed, this is a {}", envelope.kind());
        return Err(Refusal::new(Code::PayloadType, detail));
    }
    let claimed = serde_json::from_slice(envelope.danger_unverified_payload())
        .map(|Claim { device_key }| device_key)
        .map_err(|_| Refusal::new(Code::PayloadMalformed, "it names no usable device key"))?;
    verify_device_document(envelope, &claimed).map_err(|reason| refused(&reason))
}

#[derive(Deserialize)]
struct Claim {
    device_key: PublicKey,
}

/// The envelope of a body; one line feed at its end changes nothing.
///
/// # Errors
/// The code of what differs from the one shape.
pub(super) fn opened(body: &[u8]) -> Result<Envelope, Refusal> {
    let line = body.strip_suffix(b"\n").unwrap_or(body);
    Envelope::open(line).map_err(|error| refused(&error.into()))
}

/// Why a document is refused; its reasons quote no content.
pub(super) fn refused(reason: &RefusalReason) -> Refusal {
    Refusal::new(reason.code(), reason.to_string())
}

pub(super) fn unusable_csr(error: CsrError) -> Refusal {
    Refusal::new(Code::PayloadMalformed, error.to_string())
}

/// A line of ours as it stands in an answer, byte for byte.
pub(crate) fn raw(line: Vec<u8>) -> Result<Box<RawValue>, Refusal> {
    String::from_utf8(line)
        .ok()
        .and_then(|line| RawValue::from_string(line).ok())
        .ok_or_else(|| Code::ServerInternal.into())
}

/// What is stored of a token: the hash of its secret's 32 bytes.
fn secret_hash(document: &Enroll) -> Result<Sha256Digest, Refusal> {
    let secret: Sha256Digest =
        document.secret.parse().map_err(|_| Refusal::from(Code::PayloadMalformed))?;
    Ok(Sha256Digest::new(Sha256::digest(secret.as_bytes()).into()))
}

/// What an enrollment leaves behind, whatever comes of it.
struct Leaves {
    device_key: PublicKey,
    agent_version: String,
    correlation_id: Box<str>,
    now: Timestamp,
}

impl Leaves {
    fn trail(&self, enrolled: &Enrolled) -> Trail {
        match enrolled {
            // A secret nobody gave out leaves no record: anyone could fill the audit with them.
            Enrolled::Invalid => Trail::none(),
            Enrolled::Agent { agent, fresh, .. } => {
                let event = json!({
                    "device_key": self.device_key,
                    "agent_version": self.agent_version,
                    "tenants": agent.facts.tenants,
                    "again": !fresh,
                });
                let tenant_id = agent.facts.own_tenant();
                self.event(tenant_id, Some(agent.facts.runtime_id), "kernel.agent.enrolled", event)
            }
            Enrolled::UsedByAnother { token_id, tenants, used } => {
                let Some(&tenant_id) = tenants.first() else { return Trail::none() };
                Trail::alerts(vec![NewAlert {
                    code: AlertCode::EnrollTokenReused,
                    tenant_id,
                    agent: Some(used.runtime_id),
                    incident: incident::token_reused(*token_id),
                    at: self.now,
                    detail: self.reused(*token_id, used),
                }])
            }
        }
    }

    /// Records that a token came from other hands; once a minute: whoever found one, and makes keys
    /// up, fills no audit with them.
    async fn told(
        &self,
        plane: &ControlPlane,
        token_id: TokenId,
        tenants: &[TenantId],
        used: &EnrollUse,
    ) {
        let Some(&tenant_id) = tenants.first() else { return };
        let hand = format!("enrollment token {token_id}");
        if !plane.control.mismatches.is_first(&hand, self.now) {
            return;
        }
        let payload = self.reused(token_id, used);
        let trail = self.event(tenant_id, Some(used.runtime_id), "kernel.agent.refused", payload);
        if let Err(error) = plane.storage.append_own(trail.events).await {
            tracing::error!(error = %crate::error_chain(&error), "a refused enrollment could not be recorded");
        }
    }

    fn reused(&self, token_id: TokenId, used: &EnrollUse) -> serde_json::Value {
        json!({
            "token_id": token_id,
            "used_by": used.device_key_id.to_string(),
            "refused": self.device_key.id().to_string(),
        })
    }

    fn event(
        &self,
        tenant_id: TenantId,
        runtime_id: Option<RuntimeId>,
        kind: &'static str,
        payload: serde_json::Value,
    ) -> Trail {
        let event =
            OwnEvent::new(tenant_id, kind, payload).of_call(runtime_id, &self.correlation_id);
        Trail::events(vec![event.record(self.now)])
    }
}
