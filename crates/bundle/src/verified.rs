//! What a check leaves behind: proven bytes, then a verified document.

use std::{collections::BTreeSet, sync::Arc};

use sha2::{Digest, Sha256};

use farhold_contract::Sha256Digest;

use crate::{
    critical,
    envelope::Envelope,
    error::PayloadError,
    key::KeyId,
    payload::{DocumentType, Payload},
    strict_json,
};

/// Bytes that the keys of a role have signed. What they say has not been read.
#[derive(Debug, Clone)]
pub struct Proven {
    kind: DocumentType,
    payload: Vec<u8>,
    line: Box<[u8]>,
    signers: BTreeSet<KeyId>,
}

/// A document: signed by its role, read, and held to its type's rules.
///
/// There is no other way to one than [`Proven::parse`]. A copy of it shares what it says.
#[derive(Debug)]
pub struct Verified<T>(Arc<Document<T>>);

#[derive(Debug)]
struct Document<T> {
    content: T,
    line: Box<[u8]>,
    sha256: Sha256Digest,
    signers: BTreeSet<KeyId>,
}

impl Proven {
    /// The one constructor; only the threshold function calls it, after every check.
    pub(crate) fn after_proof(envelope: Envelope, signers: BTreeSet<KeyId>) -> Self {
        let kind = envelope.kind();
        let (payload, line) = envelope.into_payload_and_line();
        Self { kind, payload, line, signers }
    }

    /// The type of the document.
    pub const fn kind(&self) -> DocumentType {
        self.kind
    }

    /// The signed bytes.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Reads the document (`bundle.md` §1.6–1.8): one strict walk, critical names, then its type.
    ///
    /// # Errors
    /// [`PayloadError`]: duplicate keys, depth, numbers, unknown critical names, its type's rules.
    pub fn parse<T: Payload>(self) -> Result<Verified<T>, PayloadError> {
        if self.kind != T::TYPE {
            return Err(PayloadError::OtherType { actual: self.kind, expected: T::TYPE });
        }
        let content = read_payload(&self.payload)?;
        let sha256 = Sha256Digest::new(Sha256::digest(&self.payload).into());
        Ok(Verified(Arc::new(Document { content, line: self.line, sha256, signers: self.signers })))
    }
}

/// Reads payload bytes as their type, by all rules but the signature: issuers check before signing.
pub(crate) fn read_payload<T: Payload>(payload: &[u8]) -> Result<T, PayloadError> {
    strict_json::walk(payload, T::TYPE)?;
    critical::check(payload, T::TYPE)?;
    let content: T = serde_json::from_slice(payload)
        .map_err(|source| PayloadError::Malformed { document: T::TYPE, source })?;
    content.check()?;
    Ok(content)
}

impl<T> Verified<T> {
    /// What the document says.
    pub fn content(&self) -> &T {
        &self.0.content
    }

    /// The line it came in, without its line feed: what is stored, carried on, and shown.
    pub fn line(&self) -> &[u8] {
        &self.0.line
    }

    /// SHA-256 of the payload: the identity of the document.
    pub fn sha256(&self) -> Sha256Digest {
        self.0.sha256
    }

    /// The keys that signed it.
    pub fn signers(&self) -> &BTreeSet<KeyId> {
        &self.0.signers
    }
}

impl<T> std::ops::Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.content
    }
}

impl<T> Clone for Verified<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
