//! Sealing: from content to a signed line.

use crate::{
    envelope::{self, Envelope, Signature},
    error::{PayloadError, RefusalReason, SignatureError},
    pae,
    payload::Payload,
    signer::Signer,
    verified::read_payload,
};

/// Writes and signs a document; the line has no line feed.
///
/// The content is read back by the reader's own rules first: nothing is signed that would be
/// refused. The payload's bytes are final here; they are carried, never written again.
///
/// # Errors
/// [`PayloadError`] names the rule that the content breaks.
pub fn seal<T: Payload>(content: &T, signer: &dyn Signer) -> Result<Vec<u8>, PayloadError> {
    let payload = serde_json::to_vec(content)
        .map_err(|source| PayloadError::Malformed { document: T::TYPE, source })?;
    read_payload::<T>(&payload)?;
    let signature = sign(&pae::encode(T::TYPE.media_type(), &payload), signer);
    Ok(envelope::write(T::TYPE, &payload, &[signature]))
}

/// Adds one signature to a line, over the payload's exact bytes.
///
/// # Errors
/// Whatever keeps the line from being opened, or [`SignatureError::DuplicateKey`].
pub fn add_signature(line: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, RefusalReason> {
    let opened = Envelope::open(line)?;
    let key = signer.public_key().id();
    if opened.key_ids().any(|id| id == key) {
        return Err(SignatureError::DuplicateKey { key }.into());
    }
    let mut signatures = opened.signatures().to_vec();
    signatures.push(sign(&opened.signed_bytes(), signer));
    Ok(envelope::write(opened.kind(), opened.danger_unverified_payload(), &signatures))
}

fn sign(message: &[u8], signer: &dyn Signer) -> Signature {
    Signature { key_id: signer.public_key().id(), bytes: signer.sign(message) }
}
