//! Renewal: a new certificate by the device key, also when the old one has ended (§8.2).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;

use farhold_bundle::{Signer, payload::Renew, seal};
use farhold_contract::{Sha256Digest, Timestamp, call::enroll::RenewResponse};
use farhold_sync::Presented;

use super::{
    certificate::CertificateFacts,
    client::{send_json, wire_of, with_json_bytes},
    enroll::{Issued, malformed, unusable},
    enrollment::Enrollment,
    error::{LinkError, LinkFailure},
    key_pair::TlsKeyPair,
    settings::LinkSettings,
    wire::Outgoing,
};
use crate::random;

/// Gets a new certificate. The standing returned is to be saved; it keeps the old identity as
/// its previous one.
///
/// A certificate to be presented is shown while it holds at `wall`. The device key's signature is
/// what counts.
///
/// # Errors
/// [`LinkError`].
pub async fn renew(
    enrollment: &Enrollment,
    kernel_ca: &[Sha256Digest],
    device: &(dyn Signer + Sync),
    presented: Presented,
    wall: Timestamp,
    settings: &LinkSettings,
) -> Result<Enrollment, LinkError> {
    let certified = presented == Presented::Certificate && enrollment.current.holds_at(wall);
    let wire = wire_of(enrollment, kernel_ca, certified, settings)?;
    let failed = |failure| wire.error(failure);
    let key = TlsKeyPair::generate().map_err(|error| failed(unusable(error)))?;
    let content = Renew {
        runtime_id: enrollment.runtime_id,
        csr: STANDARD.encode(key.request_der().map_err(|error| failed(unusable(error)))?),
        nonce: hex::encode(random::salt()),
        wall,
    };
    let envelope = seal(&content, device)
        .map_err(|error| failed(LinkFailure::Other { reason: error.to_string() }))?;
    let path = format!("/kernel/agents/{}/certificate", enrollment.runtime_id);
    let call = Outgoing {
        tenant_id: Some(enrollment.own_tenant()),
        runtime_id: Some(enrollment.runtime_id),
        ..wire.call(Method::POST, path)
    };
    let answer: RenewResponse = send_json(&wire, with_json_bytes(call, envelope.into())).await?;
    accept(enrollment, kernel_ca, answer, &key, wall).map_err(failed)
}

fn accept(
    enrollment: &Enrollment,
    kernel_ca: &[Sha256Digest],
    answer: RenewResponse,
    key: &TlsKeyPair,
    wall: Timestamp,
) -> Result<Enrollment, LinkFailure> {
    let RenewResponse { certificate, chain, ca } = answer;
    // §8.2.3: the list is every CA the Kernel stands under. The one this connection led to is
    // among them, or the next connection would lead nowhere.
    let anchors = enrollment.anchors(kernel_ca).map_err(unusable)?;
    let facts: Result<Vec<_>, _> = ca.iter().map(|pem| CertificateFacts::of_pem(pem)).collect();
    let facts = facts.map_err(|_| malformed("a CA in it can't be read"))?;
    if !facts.iter().any(|facts| anchors.pins(facts)) {
        return Err(malformed("its list of CAs has none of those known"));
    }
    // Where the vendor's root names the Kernel's CAs, no answer adds another.
    let ca = match kernel_ca {
        [] => ca,
        named => ca
            .into_iter()
            .zip(&facts)
            .filter(|(_, facts)| named.contains(&facts.spki_sha256) || anchors.pins(facts))
            .map(|(pem, _)| pem)
            .collect(),
    };
    let issued = Issued { certificate, chain, ca };
    let current = issued.check(enrollment.own_tenant(), enrollment.runtime_id, key, wall)?;
    Ok(Enrollment {
        ca: issued.ca,
        current,
        previous: Some(enrollment.current.clone()),
        ..enrollment.clone()
    })
}
