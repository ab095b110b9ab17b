//! Typed form: a document small enough for one QR code, or for paste (`bundle.md` §8).

use std::io::Read;

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

use farhold_contract::Code;

use crate::{
    base44,
    envelope::{self, Envelope, Signature},
    error::RefusalReason,
    key::KeyId,
    limits::LIMITS,
    payload::DocumentType,
};

const PREFIX: &str = "FH1:";
const HEAD_BYTES: usize = 1 + 32 + 64;

/// Whether bytes are meant as typed form, so that every reader of bundles can take both.
pub fn is_typed_form(bytes: &[u8]) -> bool {
    let dense = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
    dense.take(PREFIX.len()).eq(PREFIX.as_bytes())
}

/// Writes an envelope of one signature as `FH1:` and base44.
///
/// # Errors
/// `typed_form.malformed` for several signatures, or a payload beyond the inflate limit.
pub fn encode_typed_form(envelope: &Envelope) -> Result<String, RefusalReason> {
    let [signature] = envelope.signatures() else {
        return Err(malformed("the typed form holds exactly one signature"));
    };
    let payload = envelope.danger_unverified_payload();
    if payload.len() > LIMITS.typed_form_bytes {
        return Err(malformed("the document is too large for the typed form"));
    }
    let mut bytes = Vec::with_capacity(HEAD_BYTES + payload.len() / 2);
    bytes.push(envelope.kind().typed_byte());
    bytes.extend_from_slice(signature.key_id.as_bytes());
    bytes.extend_from_slice(&signature.bytes);
    let mut deflate = DeflateEncoder::new(bytes, Compression::best());
    std::io::Write::write_all(&mut deflate, payload).expect("writing into memory can't fail");
    let bytes = deflate.finish().expect("writing into memory can't fail");
    Ok(format!("{PREFIX}{}", base44::encode(&bytes)))
}

/// Reads typed form back into the line it was made from, without a line feed.
///
/// White space is dropped: line wraps and stray blanks of a paste do no harm.
///
/// # Errors
/// `typed_form.malformed`; never inflates beyond the limit.
pub fn decode_typed_form(text: &[u8]) -> Result<Vec<u8>, RefusalReason> {
    // 1.5 characters a byte, and as many again for white space, is more than any real paste has.
    if text.len() > 4 * LIMITS.typed_form_bytes {
        return Err(malformed("the text is too long"));
    }
    let dense: String = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|&byte| char::from(byte))
        .collect();
    let encoded =
        dense.strip_prefix(PREFIX).ok_or_else(|| malformed("it does not begin with FH1:"))?;
    let bytes = base44::decode(encoded.as_bytes())
        .ok_or_else(|| malformed("a character is missing or wrong"))?;
    if bytes.len() <= HEAD_BYTES {
        return Err(malformed("it is too short"));
    }
    let (head, deflated) = bytes.split_at(HEAD_BYTES);
    let kind = DocumentType::ALL.into_iter().find(|kind| kind.typed_byte() == head[0]).ok_or_else(
        || {
            RefusalReason::rule(
                Code::PayloadType,
                format!("document type {} is not known", head[0]),
            )
        },
    )?;
    let key_id = head[1..33].try_into().expect("the head holds 32 bytes of key id");
    let signature = head[33..].try_into().expect("the head ends with 64 bytes of signature");
    let payload = inflate(deflated)?;
    Ok(envelope::write(
        kind,
        &payload,
        &[Signature { key_id: KeyId::new(key_id), bytes: signature }],
    ))
}

fn inflate(deflated: &[u8]) -> Result<Vec<u8>, RefusalReason> {
    let mut payload = Vec::new();
    let mut reader = DeflateDecoder::new(deflated).take(LIMITS.typed_form_bytes as u64 + 1);
    reader.read_to_end(&mut payload).map_err(|_| malformed("its compressed part is damaged"))?;
    if payload.len() > LIMITS.typed_form_bytes {
        return Err(malformed("it inflates beyond the limit"));
    }
    // Bytes after the stream's end would be carried by the text and lost in the line.
    if reader.into_inner().total_in() != deflated.len() as u64 {
        return Err(malformed("it has bytes after its end"));
    }
    Ok(payload)
}

fn malformed(detail: &str) -> RefusalReason {
    RefusalReason::rule(Code::TypedFormMalformed, detail)
}
