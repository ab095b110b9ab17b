//! Enrollment: from a token to an agent's standing with a Kernel (contract v0.2 §8.1).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use rustls::pki_types::CertificateDer;

use farhold_bundle::{DocumentType, Envelope, Signer, payload::Enroll, seal};
use farhold_contract::{
    Timestamp,
    call::enroll::{EnrollResponse, EnrollToken},
    id::{RuntimeId, TenantId},
};

use super::{
    certificate::{CertificateFacts, der_of_pem, leads_to, sha256},
    client::{send_json, with_json_bytes},
    enrollment::{ClientIdentity, Enrollment},
    error::{LinkError, LinkFailure},
    key_pair::TlsKeyPair,
    pinned::Anchors,
    settings::LinkSettings,
    wire::Wire,
};

/// What an enrollment gives.
pub struct Enrolled {
    /// The agent's standing: to be saved before anything is done with it.
    pub enrollment: Enrollment,
    /// The envelope of the trust root whose payload the token names, without a line feed.
    pub root: Vec<u8>,
}

/// Enrolls this device by a token.
///
/// It is safe to repeat when the answer was lost: the same token and device key get a fresh
/// certificate, and the key pair of the lost one is forgotten.
///
/// # Errors
/// [`LinkError`]; what the answer says is believed only after every check.
pub async fn enroll(
    token: &EnrollToken,
    device: &(dyn Signer + Sync),
    agent_version: &str,
    wall: Timestamp,
    settings: &LinkSettings,
) -> Result<Enrolled, LinkError> {
    // §8.1.5: the pinned key is the only anchor.
    let wire = Wire::new(&token.url, &Anchors::pinned(token.ca_sha256), None, settings)?;
    let failed = |failure| wire.error(failure);
    let key = TlsKeyPair::generate().map_err(|error| failed(unusable(error)))?;
    let envelope = document(token, device, agent_version, &key).map_err(failed)?;
    // §8.1.3: the call names no tenant and no runtime.
    let call = wire.call(Method::POST, "/kernel/agents/enroll".to_owned());
    let answer: EnrollResponse = send_json(&wire, with_json_bytes(call, envelope.into())).await?;
    accept(token, answer, &key, wall).map_err(failed)
}

fn document(
    token: &EnrollToken,
    device: &dyn Signer,
    agent_version: &str,
    key: &TlsKeyPair,
) -> Result<Vec<u8>, LinkFailure> {
    let secret = token
        .secret_bytes()
        .map_err(|error| LinkFailure::Settings { reason: error.to_string() })?;
    let content = Enroll {
        secret: hex::encode(secret),
        csr: STANDARD.encode(key.request_der().map_err(unusable)?),
        device_key: device.public_key().clone(),
        agent_version: agent_version.to_owned(),
    };
    seal(&content, device).map_err(|error| LinkFailure::Other { reason: error.to_string() })
}

fn accept(
    token: &EnrollToken,
    answer: EnrollResponse,
    key: &TlsKeyPair,
    wall: Timestamp,
) -> Result<Enrolled, LinkFailure> {
    let EnrollResponse { certificate, chain, tenants, runtime_id, root } = answer;
    let own = *tenants.first().ok_or_else(|| malformed("it names no tenant"))?;
    let pinned = Anchors::pinned(token.ca_sha256);
    let ca: Vec<String> = chain
        .iter()
        .filter(|pem| CertificateFacts::of_pem(pem).is_ok_and(|facts| pinned.pins(&facts)))
        .cloned()
        .collect();
    if ca.is_empty() {
        return Err(malformed("its chain does not end in the pinned CA"));
    }
    let issued = Issued { certificate, chain, ca };
    let current = issued.check(own, runtime_id, key, wall)?;
    // §8.1.7: the root is the one the token names.
    let root = root.get().as_bytes().to_vec();
    let opened = Envelope::open(&root).map_err(|error| malformed(&format!("its root: {error}")))?;
    if opened.kind() != DocumentType::Root {
        return Err(malformed("its root is another document"));
    }
    if sha256(opened.danger_unverified_payload()) != token.root_sha256 {
        return Err(LinkFailure::RootMismatch);
    }
    let enrollment = Enrollment {
        url: token.url.clone(),
        tenants,
        runtime_id,
        ca: issued.ca,
        current,
        previous: None,
    };
    Ok(Enrolled { enrollment, root })
}

/// A certificate as it was answered, and the CAs it may lead to, all PEM.
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) chain: Vec<String>,
    pub(super) ca: Vec<String>,
}

impl Issued {
    /// Takes the certificate if it is this agent's, for this key, under one of these CAs.
    pub(super) fn check(
        &self,
        tenant_id: TenantId,
        runtime_id: RuntimeId,
        key: &TlsKeyPair,
        wall: Timestamp,
    ) -> Result<ClientIdentity, LinkFailure> {
        let unreadable = |_| malformed("a certificate in it can't be read");
        let facts = CertificateFacts::of_pem(&self.certificate).map_err(unreadable)?;
        if facts.spki != key.spki() {
            return Err(malformed("the certificate is for another key"));
        }
        let name = format!("/tenant/{tenant_id}/agent/{runtime_id}");
        if !matches!(facts.uris.as_slice(), [uri] if is_named(uri, &name)) {
            return Err(malformed("the certificate does not name this agent"));
        }
        if facts.not_after <= wall {
            return Err(malformed("the certificate has ended by this machine's clock"));
        }
        let read = |pems: &[String]| -> Result<Vec<CertificateDer<'static>>, LinkFailure> {
            pems.iter().map(|pem| der_of_pem(pem).map_err(unreadable)).collect()
        };
        let leaf = der_of_pem(&self.certificate).map_err(unreadable)?;
        // A Kernel's clock a few seconds ahead must not cost the enrollment.
        let at = wall.max(facts.not_before);
        leads_to(&leaf, &read(&self.chain)?, &read(&self.ca)?, at)
            .map_err(|why| malformed(&format!("the certificate is not the CA's ({why})")))?;
        ClientIdentity::new(self.certificate.clone(), self.chain.clone(), key).map_err(unreadable)
    }
}

/// `spiffe://<kernel>` and the name.
fn is_named(uri: &str, name: &str) -> bool {
    uri.strip_prefix("spiffe://")
        .and_then(|rest| rest.strip_suffix(name))
        .is_some_and(|kernel| !kernel.is_empty() && !kernel.contains('/'))
}

pub(super) fn unusable(error: impl std::fmt::Display) -> LinkFailure {
    LinkFailure::Identity { reason: error.to_string() }
}

pub(super) fn malformed(reason: &str) -> LinkFailure {
    LinkFailure::Malformed { reason: reason.to_owned() }
}
