//! Caller: the agent that a certificate speaks for, as the Kernel knows it now.

use std::sync::Arc;

use http::request::Parts;
use sha2::{Digest, Sha256};

use farhold_api::{ClientCertificate, Holder, Principal, Refusal};
use farhold_contract::{
    Code, Sha256Digest,
    call::heartbeat::KernelStatus,
    id::{RuntimeId, TenantId},
};

use crate::{agents::head, control_plane::ControlPlane, storage::AgentFacts};

/// An agent's call about itself: certificate and headers agree.
pub(crate) struct AgentCall {
    /// The agent.
    pub agent: Arc<AgentFacts>,
}

impl ControlPlane {
    /// The agent that a certificate speaks for.
    ///
    /// Which of its certificates it is, is not looked at: a renewal may come with any.
    ///
    /// # Errors
    /// `certificate.unknown` if this Kernel has no such agent of such a tenant.
    pub fn agent_of(&self, certificate: &ClientCertificate) -> Result<Arc<AgentFacts>, Refusal> {
        let name = self.authority.agent_of(certificate).ok_or(Code::CertificateUnknown)?;
        self.storage
            .directory()
            .agent(name.runtime_id)
            .filter(|agent| agent.own_tenant() == name.tenant_id)
            .ok_or_else(|| Code::CertificateUnknown.into())
    }
}

impl AgentCall {
    /// Reads the head of a call that needs a certificate, in the order of contract v0.1 §4.
    ///
    /// # Errors
    /// The contract's codes for headers; `certificate.missing`, `certificate.unknown`;
    /// `tenant.mismatch` if it names no tenant of its site, `runtime.mismatch` if not itself.
    pub(crate) async fn of(head: &Parts, plane: &ControlPlane) -> Result<Self, Refusal> {
        let correlation_id = head::correlation_id(&head.headers)?;
        let certificate =
            head.extensions.get::<ClientCertificate>().ok_or(Code::CertificateMissing)?;
        let agent = plane.agent_of(certificate)?;
        // The present one or the one before: an older one that comes back is a copy's. Whoever
        // holds the device key can renew.
        let fingerprint = Sha256Digest::new(Sha256::digest(certificate.as_der()).into());
        let now = plane.now();
        // Its end is looked at again: the handshake may be longer ago than that.
        let holds = agent
            .certificates
            .iter()
            .any(|issued| issued.fingerprint == fingerprint && now <= issued.not_after);
        if !holds {
            return Err(Code::CertificateUnknown.into());
        }
        let (tenant_id, runtime_id) = head::claim(&head.headers)?;
        require_tenant(plane, &agent, tenant_id, &correlation_id).await?;
        if runtime_id != agent.runtime_id {
            return Err(Code::RuntimeMismatch.into());
        }
        Ok(Self { agent })
    }

    /// Holds the agent that a path names against the caller.
    ///
    /// # Errors
    /// `runtime.mismatch`.
    pub(crate) fn agrees_on(&self, runtime_id: RuntimeId) -> Result<(), Refusal> {
        if runtime_id == self.agent.runtime_id { Ok(()) } else { Err(Code::RuntimeMismatch.into()) }
    }

    /// Refuses what is nothing for an agent that the Kernel suspended.
    ///
    /// # Errors
    /// `agent.suspended`.
    pub(crate) fn requires_not_suspended(&self) -> Result<(), Refusal> {
        if self.agent.standing.status == KernelStatus::Suspended {
            return Err(Code::AgentSuspended.into());
        }
        Ok(())
    }
}

/// Holds the tenant that a known agent names against those of its site.
///
/// # Errors
/// `tenant.mismatch`, which is an alert, too, once a minute: the caller is known, and asks for
/// another's.
pub(crate) async fn require_tenant(
    plane: &ControlPlane,
    agent: &AgentFacts,
    tenant_id: TenantId,
    correlation_id: &str,
) -> Result<(), Refusal> {
    if agent.tenants.contains(&tenant_id) {
        return Ok(());
    }
    let caller = Principal {
        holder: Holder::Agent { agent_id: agent.runtime_id },
        tenant_id: agent.own_tenant(),
        runtime_id: Some(agent.runtime_id),
    };
    plane.control.mismatches.tell(plane, &caller, Some(tenant_id), correlation_id).await;
    Err(Code::TenantMismatch.into())
}
