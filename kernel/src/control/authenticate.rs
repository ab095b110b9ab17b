//! Who is calling: from the token or the certificate alone (contract v0.2 §1).

use sha2::{Digest, Sha256};

use farhold_api::{ClientCertificate, Credentials, Holder, Principal, Refusal};
use farhold_contract::{
    Code, Sha256Digest,
    id::{RuntimeId, TenantId},
};

use crate::{control_plane::ControlPlane, storage::Origin};

/// Whose credentials these are.
///
/// A suspended agent is told apart by each call, not here: its own heartbeat is how it hears that
/// it is suspended, and that it no longer is.
///
/// # Errors
/// `auth.invalid`, `certificate.unknown`.
pub(super) fn principal(
    plane: &ControlPlane,
    credentials: Credentials<'_>,
) -> Result<Principal, Refusal> {
    match credentials {
        Credentials::Token(token) => by_token(plane, token),
        Credentials::Certificate { certificate, tenant_id, runtime_id } => {
            by_certificate(plane, certificate, tenant_id, runtime_id)
        }
    }
}

fn by_token(plane: &ControlPlane, token: &[u8]) -> Result<Principal, Refusal> {
    let hash = Sha256Digest::new(Sha256::digest(token).into());
    let holder = plane.storage.directory().token(&hash).ok_or(Code::AuthInvalid)?;
    Ok(Principal {
        holder: Holder::Runtime {
            token_id: holder.token.token_id,
            runtime_type: holder.token.runtime_type,
        },
        tenant_id: holder.token.tenant_id,
        runtime_id: holder.runtime.map(|runtime| runtime.runtime_id),
    })
}

fn by_certificate(
    plane: &ControlPlane,
    certificate: &ClientCertificate,
    claimed_tenant: TenantId,
    claimed_runtime: Option<RuntimeId>,
) -> Result<Principal, Refusal> {
    let agent = plane.agent_of(certificate)?;
    // The present one or the one before: an older one that comes back is a copy's. Its holder can
    // renew by the device key, if that is what it is.
    let fingerprint = Sha256Digest::new(Sha256::digest(certificate.as_der()).into());
    if !agent.has_certificate(&fingerprint, plane.now()) {
        return Err(Code::CertificateUnknown.into());
    }
    let directory = plane.storage.directory();
    let agent_id = agent.runtime_id;
    // What is not the agent's to name is answered with what is: the call then disagrees with it.
    let tenant_id =
        if agent.tenants.contains(&claimed_tenant) { claimed_tenant } else { agent.own_tenant() };
    let through_it = |runtime_id: &RuntimeId| {
        let runtime = directory.runtime(tenant_id, *runtime_id);
        runtime.is_some_and(|runtime| runtime.origin == Origin::Agent(agent_id))
    };
    Ok(Principal {
        holder: Holder::Agent { agent_id },
        tenant_id,
        runtime_id: Some(claimed_runtime.filter(through_it).unwrap_or(agent_id)),
    })
}
