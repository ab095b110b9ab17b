//! Idempotency: what makes a consuming check safe to repeat (contract v0.2).

use http::{HeaderMap, header::HeaderName};
use sha2::{Digest, Sha256};

use farhold_contract::{Code, Sha256Digest, header};

use crate::{
    call::{single, visible},
    refusal::Refusal,
};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static(header::IDEMPOTENCY_KEY);

/// A caller's name for one consumption: 1 to 64 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdempotencyKey(Box<str>);

/// A key and the body it was sent with: another body under the same key is a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key.
    pub key: IdempotencyKey,
    /// SHA-256 of the body's bytes as sent.
    pub body_sha256: Sha256Digest,
}

impl IdempotencyKey {
    /// Reads the key of a call, if it has one.
    ///
    /// # Errors
    /// `idempotency.key_invalid`: sent twice, empty, too long, or not visible ASCII.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, Refusal> {
        let value = single(headers, &IDEMPOTENCY_KEY)
            .map_err(|twice| Refusal { code: Code::IdempotencyKeyInvalid, ..twice })?;
        let Some(value) = value else { return Ok(None) };
        let key =
            visible(value, header::IDEMPOTENCY_KEY_MAX_BYTES).ok_or(Code::IdempotencyKeyInvalid)?;
        Ok(Some(Self(key.into())))
    }

    /// The key as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key together with the body it was sent with.
    pub(crate) fn over(self, body: &[u8]) -> Idempotency {
        Idempotency { key: self, body_sha256: Sha256Digest::new(Sha256::digest(body).into()) }
    }
}
