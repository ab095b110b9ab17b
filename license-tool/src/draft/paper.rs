//! Paper: a draft as a file, an envelope that may have nobody's signature.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

use farhold_bundle::{Envelope, KeyId, LIMITS, payload::DocumentType};
use farhold_contract::Code;

use crate::refusal::Refusal;

/// One signature, as the envelope writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Sig {
    pub(super) keyid: KeyId,
    pub(super) sig: String,
}

/// Of what a file claims to be a draft.
///
/// # Errors
/// `envelope.*`.
pub fn kind_of(line: &[u8]) -> Result<DocumentType, Refusal> {
    take_apart(line).map(|(kind, ..)| kind)
}

/// The parts of an envelope in the one shape, or in that shape with nobody's signature.
pub(super) fn take_apart(line: &[u8]) -> Result<(DocumentType, Vec<u8>, Vec<Sig>), Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        payload: String,
        payload_type: String,
        signatures: Vec<Sig>,
    }
    if line.len() > LIMITS.envelope_bytes {
        Envelope::open(line)?;
    }
    let unsigned = line.ends_with(br#""signatures":[]}"#);
    if !unsigned {
        Envelope::open(line)?;
    }
    let malformed =
        || Refusal::new(Code::EnvelopeMalformed, "this is neither a document nor a draft of one");
    let shape: Shape = serde_json::from_slice(line).map_err(|_| malformed())?;
    let kind = DocumentType::from_media_type(&shape.payload_type).ok_or_else(malformed)?;
    let payload = STANDARD.decode(&shape.payload).map_err(|_| malformed())?;
    // No second spelling of an unsigned one either: two copies of one draft are the same bytes.
    if write(kind, &payload, &shape.signatures) != line {
        return Err(malformed());
    }
    Ok((kind, payload, shape.signatures))
}

/// The one shape of `bundle.md` §1.2; with an empty list, a draft that nobody has signed.
pub(super) fn write(kind: DocumentType, payload: &[u8], signatures: &[Sig]) -> Vec<u8> {
    let signatures: Vec<String> = signatures
        .iter()
        .map(|one| format!(r#"{{"keyid":"{}","sig":"{}"}}"#, one.keyid, one.sig))
        .collect();
    format!(
        r#"{{"payload":"{}","payloadType":"{}","signatures":[{}]}}"#,
        STANDARD.encode(payload),
        kind.media_type(),
        signatures.join(",")
    )
    .into_bytes()
}
