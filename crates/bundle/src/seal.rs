//! Sealing: from content to a signed line.

use sha2::{Digest, Sha256};

use farhold_contract::Sha256Digest;

use crate::{
    envelope::{self, Envelope, Signature},
    error::{PayloadError, RefusalReason, SignatureError, Unsigned},
    pae,
    payload::{DocumentType, Payload},
    signer::Signer,
    verified::read_payload,
};

/// Content in the bytes that will be signed.
///
/// They are final: signed, hashed and carried, never written again.
#[derive(Debug, Clone)]
pub struct Draft {
    kind: DocumentType,
    payload: Vec<u8>,
}

/// Writes and signs a document; the line has no line feed.
///
/// # Errors
/// [`PayloadError`] names the rule that the content breaks; [`Unsigned`].
pub fn seal<T: Payload>(content: &T, signer: &dyn Signer) -> Result<Vec<u8>, RefusalReason> {
    Draft::of(content)?.seal(&[signer])
}

impl Draft {
    /// Writes content, and reads it back by the reader's own rules: nothing is signed that would
    /// be refused.
    ///
    /// # Errors
    /// [`PayloadError`] names the rule that the content breaks.
    pub fn of<T: Payload>(content: &T) -> Result<Self, PayloadError> {
        let draft = Self::danger_unread(content)?;
        read_payload::<T>(&draft.payload)?;
        Ok(draft)
    }

    /// Writes content without reading it back: for many alike, of which one was read back and each
    /// was held to [`Payload::check`].
    ///
    /// # Errors
    /// [`PayloadError::Malformed`] for what JSON does not have.
    pub fn danger_unread<T: Payload>(content: &T) -> Result<Self, PayloadError> {
        let mut payload = Vec::with_capacity(1024);
        serde_json::to_writer(&mut payload, content)
            .map_err(|source| PayloadError::Malformed { document: T::TYPE, source })?;
        Ok(Self { kind: T::TYPE, payload })
    }

    /// SHA-256 of the payload: the identity of the document.
    pub fn sha256(&self) -> Sha256Digest {
        Sha256Digest::new(Sha256::digest(&self.payload).into())
    }

    /// The bytes that will be signed, without their type.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Signs it by each of the keys; the line has no line feed.
    ///
    /// # Errors
    /// [`SignatureError::DuplicateKey`], [`SignatureError::Threshold`] without a key, [`Unsigned`].
    pub fn seal(&self, signers: &[&dyn Signer]) -> Result<Vec<u8>, RefusalReason> {
        let message = pae::encode(self.kind.media_type(), &self.payload);
        let mut signatures: Vec<Signature> = Vec::with_capacity(signers.len());
        for signer in signers {
            let key = signer.public_key().id();
            if signatures.iter().any(|signature| signature.key_id == key) {
                return Err(SignatureError::DuplicateKey { key }.into());
            }
            signatures.push(sign(&message, *signer)?);
        }
        if signatures.is_empty() {
            let role = self.kind.signed_by();
            return Err(SignatureError::Threshold { role, valid: 0, required: 1 }.into());
        }
        Ok(envelope::write(self.kind, &self.payload, &signatures))
    }
}

/// Adds one signature to a line, over the payload's exact bytes.
///
/// # Errors
/// Whatever keeps the line from being opened, [`SignatureError::DuplicateKey`], [`Unsigned`].
pub fn add_signature(line: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, RefusalReason> {
    let opened = Envelope::open(line)?;
    let key = signer.public_key().id();
    if opened.key_ids().any(|id| id == key) {
        return Err(SignatureError::DuplicateKey { key }.into());
    }
    let mut signatures = opened.signatures().to_vec();
    signatures.push(sign(&opened.signed_bytes(), signer)?);
    Ok(envelope::write(opened.kind(), opened.danger_unverified_payload(), &signatures))
}

fn sign(message: &[u8], signer: &dyn Signer) -> Result<Signature, Unsigned> {
    Ok(Signature { key_id: signer.public_key().id(), bytes: signer.sign(message)? })
}
