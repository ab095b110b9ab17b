//! `POST /kernel/agents/{runtime_id}/certificate`: an agent gets a new certificate.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde_json::json;

use farhold_api::{ClientCertificate, Limits, Refusal, answer, json, read};
use farhold_bundle::{Verified, payload::Renew, verify_device_document};
use farhold_contract::{Code, call::enroll::RenewResponse, id::RuntimeId};

use crate::{
    agents::{
        BODY_BYTES,
        caller::require_tenant,
        enroll::{opened, refused, unusable_csr},
        head,
    },
    ca::{AgentName, RequestedKey},
    control_plane::ControlPlane,
    own_event::OwnEvent,
    refusal::stored,
    storage::{AgentFacts, IssuedCertificate, Trail},
};

pub(super) async fn renew(
    State(plane): State<Arc<ControlPlane>>,
    Path(runtime_id): Path<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    answer(&head.headers, async {
        let correlation_id = head::correlation_id(&head.headers)?;
        let runtime_id = runtime_id_of(&runtime_id)?;
        let certificate = head.extensions.get::<ClientCertificate>();
        let agent = known(&plane, runtime_id, certificate)?;
        let (tenant_id, named) = head::claim(&head.headers)?;
        if named != runtime_id {
            return Err(Code::RuntimeMismatch.into());
        }
        let body = read(&head.headers, body, BODY_BYTES, Limits::STANDARD.body_time).await?;
        let document = verified(&body, &agent)?;
        // Only now is it known who names the tenant.
        require_tenant(&plane, &agent, tenant_id, &correlation_id).await?;
        json(&certify(&plane, &agent, &document, &correlation_id).await?)
    })
    .await
}

/// The path's agent; a certificate, where there is one, must be the same agent's.
fn known(
    plane: &ControlPlane,
    runtime_id: RuntimeId,
    certificate: Option<&ClientCertificate>,
) -> Result<Arc<AgentFacts>, Refusal> {
    match certificate {
        Some(certificate) => {
            let agent = plane.agent_of(certificate)?;
            if agent.runtime_id == runtime_id {
                Ok(agent)
            } else {
                Err(Code::RuntimeMismatch.into())
            }
        }
        None => plane
            .storage
            .directory()
            .agent(runtime_id)
            .ok_or_else(|| Code::CertificateUnknown.into()),
    }
}

/// The document, by the device key of the agent as it enrolled.
///
/// Neither `nonce` nor `wall` is held against anything: an agent's clock may be years wrong, and a
/// document that somebody kept and sends again yields a certificate for the key in its CSR, which
/// only the agent holds.
fn verified(body: &[u8], agent: &AgentFacts) -> Result<Verified<Renew>, Refusal> {
    let document: Verified<Renew> = verify_device_document(opened(body)?, &agent.device_key)
        .map_err(|reason| refused(&reason))?;
    if document.runtime_id != agent.runtime_id {
        return Err(Code::RuntimeMismatch.into());
    }
    Ok(document)
}

/// A suspended agent's certificate is renewed, too: it must hear when it is resumed.
async fn certify(
    plane: &ControlPlane,
    agent: &AgentFacts,
    document: &Renew,
    correlation_id: &str,
) -> Result<RenewResponse, Refusal> {
    let key = RequestedKey::of(&document.csr).map_err(unusable_csr)?;
    let now = plane.now();
    let name = AgentName { tenant_id: agent.own_tenant(), runtime_id: agent.runtime_id };
    let issued = plane
        .authority
        .issue_agent(&key, name, now, plane.config.certificate_life)
        .map_err(unusable_csr)?;
    let event = OwnEvent::new(
        name.tenant_id,
        "kernel.agent.certified",
        json!({"certificate": issued.sha256, "not_after": issued.not_after}),
    )
    .of_call(Some(name.runtime_id), correlation_id)
    .record(now);
    let noted = IssuedCertificate { fingerprint: issued.sha256, not_after: issued.not_after };
    plane
        .storage
        .note_certificate(name.runtime_id, noted, move |()| Trail::events(vec![event]))
        .await
        .map_err(stored)?;
    Ok(RenewResponse {
        certificate: issued.pem,
        chain: plane.authority.certificates_pem(),
        ca: plane.authority.certificates_pem(),
    })
}

/// The agent that a path names; an id has one spelling.
///
/// # Errors
/// `request.not_found`.
pub(super) fn runtime_id_of(segment: &str) -> Result<RuntimeId, Refusal> {
    segment.parse().map_err(|_| Code::RequestNotFound.into())
}
