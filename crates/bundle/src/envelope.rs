//! Envelope: a line opened, nothing of it believed yet.

use base64::{Engine, engine::general_purpose::STANDARD};

use farhold_contract::digest::decode_lower_hex;

use crate::{error::EnvelopeError, key::KeyId, limits::LIMITS, pae, payload::DocumentType};

/// A DSSE envelope in the strict profile (`bundle.md` §1.2): its shape holds, its word does not.
#[derive(Debug, Clone)]
pub struct Envelope {
    line: Box<[u8]>,
    kind: DocumentType,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

/// One signature, not yet checked.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) key_id: KeyId,
    pub(crate) bytes: [u8; 64],
}

impl Envelope {
    /// Opens one line, without its line feed.
    ///
    /// # Errors
    /// [`EnvelopeError`] for any byte that differs from the one shape (`bundle.md` §1.2).
    pub fn open(line: &[u8]) -> Result<Self, EnvelopeError> {
        // bundle.md §1.1: the limit before anything is read.
        if line.len() > LIMITS.envelope_bytes {
            return Err(EnvelopeError::TooLarge {
                bytes: line.len(),
                limit: LIMITS.envelope_bytes,
            });
        }
        let mut cursor = Cursor { line, at: 0 };
        cursor.expect(r#"{"payload":""#)?;
        let payload = cursor.until_quote("a base64 payload")?;
        cursor.expect(r#"","payloadType":""#)?;
        let media_type = cursor.until_quote("a document type")?;
        if media_type.contains(&b'\\') {
            return Err(cursor.shape("a document type without escapes before this"));
        }
        cursor.expect(r#"","signatures":["#)?;
        let mut signatures = Vec::with_capacity(1);
        loop {
            if signatures.len() == LIMITS.signatures {
                return Err(EnvelopeError::TooManySignatures { limit: LIMITS.signatures });
            }
            signatures.push(cursor.signature()?);
            if !cursor.skip(b',') {
                break;
            }
        }
        cursor.expect("]}")?;
        cursor.end()?;
        let kind = std::str::from_utf8(media_type)
            .ok()
            .and_then(DocumentType::from_media_type)
            .ok_or_else(|| EnvelopeError::UnknownType {
                media_type: String::from_utf8_lossy(&media_type[..media_type.len().min(80)])
                    .into_owned(),
            })?;
        // The engine refuses missing padding and non-zero trailing bits: one payload, one spelling.
        let payload =
            STANDARD.decode(payload).map_err(|_| EnvelopeError::Base64 { member: "payload" })?;
        Ok(Self { line: line.into(), kind, payload, signatures })
    }

    /// The type it claims to be.
    pub const fn kind(&self) -> DocumentType {
        self.kind
    }

    /// The line as it was read, without its line feed.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// The ids of the keys that it claims signed it.
    pub fn key_ids(&self) -> impl ExactSizeIterator<Item = KeyId> + '_ {
        self.signatures.iter().map(|signature| signature.key_id)
    }

    /// The payload, which nobody has vouched for: for tools that show it, marked as unverified.
    pub fn danger_unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The same document with only the signatures whose keys are wanted, if any is left.
    pub(crate) fn with_signatures_of(
        self,
        wanted: impl Fn(KeyId) -> bool,
    ) -> Result<Self, EnvelopeError> {
        let kept: Vec<Signature> =
            self.signatures.iter().filter(|signature| wanted(signature.key_id)).cloned().collect();
        if kept.len() == self.signatures.len() || kept.is_empty() {
            return Ok(self);
        }
        Self::open(&write(self.kind, &self.payload, &kept))
    }

    pub(crate) fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// What the signatures are over.
    pub(crate) fn signed_bytes(&self) -> Vec<u8> {
        pae::encode(self.kind.media_type(), &self.payload)
    }

    pub(crate) fn into_payload_and_line(self) -> (Vec<u8>, Box<[u8]>) {
        (self.payload, self.line)
    }
}

/// Writes the one shape, without a line feed.
pub(crate) fn write(kind: DocumentType, payload: &[u8], signatures: &[Signature]) -> Vec<u8> {
    let bytes = payload.len() / 3 * 4 + signatures.len() * 192 + 128;
    let mut line = String::with_capacity(bytes);
    line.push_str(r#"{"payload":""#);
    STANDARD.encode_string(payload, &mut line);
    line.push_str(r#"","payloadType":""#);
    line.push_str(kind.media_type());
    line.push_str(r#"","signatures":["#);
    for (at, signature) in signatures.iter().enumerate() {
        line.push_str(if at == 0 { r#"{"keyid":""# } else { r#",{"keyid":""# });
        line.push_str(&signature.key_id.to_string());
        line.push_str(r#"","sig":""#);
        STANDARD.encode_string(signature.bytes, &mut line);
        line.push_str(r#""}"#);
    }
    line.push_str("]}");
    line.into_bytes()
}

/// Walks the one shape: there is nothing to skip and nothing to choose but the commas.
struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn expect(&mut self, text: &'static str) -> Result<(), EnvelopeError> {
        match self.line[self.at..].strip_prefix(text.as_bytes()) {
            Some(_) => {
                self.at += text.len();
                Ok(())
            }
            None => Err(self.shape(text)),
        }
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.line.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn until_quote(&mut self, expected: &'static str) -> Result<&'a [u8], EnvelopeError> {
        let rest = &self.line[self.at..];
        let length = memchr::memchr(b'"', rest).ok_or_else(|| self.shape(expected))?;
        if length == 0 {
            return Err(self.shape(expected));
        }
        self.at += length;
        Ok(&rest[..length])
    }

    fn signature(&mut self) -> Result<Signature, EnvelopeError> {
        self.expect(r#"{"keyid":""#)?;
        let mut id = [0; 32];
        std::str::from_utf8(self.until_quote("a key id")?)
            .ok()
            .and_then(|hex| decode_lower_hex(hex, &mut id))
            .ok_or_else(|| self.shape("64 lower-case hexadecimal digits before this"))?;
        self.expect(r#"","sig":""#)?;
        let encoded = self.until_quote("a signature")?;
        let bytes = STANDARD
            .decode(encoded)
            .ok()
            .and_then(|bytes| <[u8; 64]>::try_from(bytes).ok())
            .ok_or(EnvelopeError::Base64 { member: "signature" })?;
        self.expect(r#""}"#)?;
        Ok(Signature { key_id: KeyId::new(id), bytes })
    }

    fn end(&self) -> Result<(), EnvelopeError> {
        if self.at == self.line.len() { Ok(()) } else { Err(self.shape("the end of the line")) }
    }

    fn shape(&self, expected: &'static str) -> EnvelopeError {
        EnvelopeError::Shape { at: self.at, expected }
    }
}
