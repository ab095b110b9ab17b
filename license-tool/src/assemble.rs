//! Assemble: several documents into one bundle for a site.

mod strands;

use serde::Deserialize;

use farhold_bundle::{Envelope, decode_typed_form, is_typed_form, payload::DocumentType};
use farhold_contract::Code;

use crate::refusal::Refusal;

pub use strands::{Cause, Stranded, may_strand, require_needs, stranded};

/// The lines of one file: documents one a line, or one in typed form.
///
/// # Errors
/// `bundle.malformed`, `typed_form.malformed`, `envelope.*`, each with its line.
pub fn open_lines(bytes: &[u8]) -> Result<Vec<Envelope>, Refusal> {
    if is_typed_form(bytes) {
        return Ok(vec![Envelope::open(&decode_typed_form(bytes)?)?]);
    }
    let malformed = |why: &str| Refusal::new(Code::BundleMalformed, why);
    let body = match bytes.strip_suffix(b"\n") {
        Some(body) => body,
        None if bytes.is_empty() => return Err(malformed("the file is empty")),
        None => {
            return Err(malformed("the last line has no line feed: the file may be truncated"));
        }
    };
    let open = |(at, line)| {
        Envelope::open(line)
            .map_err(|error| Refusal::new(error.code(), format!("line {}: {error}", at + 1)))
    };
    body.split(|&byte| byte == b'\n').enumerate().map(open).collect()
}

/// One bundle of all the documents: roots, revocations, licenses, rest; none twice.
///
/// Nothing is verified here: [`crate::verify::verify`] the result before it is written.
///
/// # Errors
/// `payload.type_unknown` for what no site imports.
pub fn assemble(documents: Vec<Envelope>) -> Result<Vec<u8>, Refusal> {
    let mut ranked = Vec::with_capacity(documents.len());
    for document in documents {
        ranked.push((rank(&document)?, document));
    }
    // Stable: documents of one rank stay in the order in which they were given.
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut bundle = Vec::new();
    let mut written: Vec<&[u8]> = Vec::new();
    for (_, document) in &ranked {
        if !written.contains(&document.line()) {
            written.push(document.line());
            bundle.extend_from_slice(document.line());
            bundle.push(b'\n');
        }
    }
    Ok(bundle)
}

/// By type, and within a type by number, as the document claims it.
fn rank(document: &Envelope) -> Result<(u8, u64), Refusal> {
    #[derive(Deserialize)]
    struct Number {
        #[serde(alias = "version", alias = "generation", alias = "serial")]
        number: Option<u64>,
    }
    let kind = match document.kind() {
        DocumentType::Root => 0,
        DocumentType::Revocations => 1,
        DocumentType::License => 2,
        DocumentType::Receipt | DocumentType::ClockReset => 3,
        other => {
            let what = format!("a {other} is not something a site imports");
            return Err(Refusal::new(Code::PayloadType, what));
        }
    };
    // A payload that can't be read is refused by the verification, with its reason.
    let number = serde_json::from_slice(document.danger_unverified_payload())
        .ok()
        .and_then(|claim: Number| claim.number)
        .filter(|_| kind < 3);
    Ok((kind, number.unwrap_or(0)))
}
