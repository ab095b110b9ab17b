//! Contents: what a file holds, document by document, whoever signed it.
//!
//! For verbs that also look at what is not signed yet, as templates, or at what no root at hand
//! vouches for. What is to be trusted goes through [`crate::verify`].

use farhold_bundle::{
    Envelope, KeyId, PayloadError, Positive, Verified, is_typed_form,
    payload::{DocumentType, License, Payload, Request, Revocations, Root},
};
use farhold_contract::{
    Code, Timestamp,
    id::{IssuerId, LicenseId},
};

use crate::{assemble::open_lines, clock_reset::open_request, refusal::Refusal, template};

/// One thing that a file holds.
#[derive(Debug)]
pub enum Content {
    /// A template, as the license that it would be if it were issued now.
    Template(Box<License>),
    /// A license.
    License(Box<License>, Envelope),
    /// A root.
    Root(Root, Envelope),
    /// Revocations.
    Revocations(Revocations, Envelope),
    /// A site's request, signed by the key that it names.
    Request(Box<Verified<Request>>),
    /// What nobody writes by hand.
    Other(DocumentType),
}

/// What stands in for what a template does not say.
#[derive(Debug, Clone, Copy)]
pub struct Fill {
    /// The contract, for a template of a new one.
    pub license_id: LicenseId,
    /// The issuer.
    pub issuer: IssuerId,
    /// When it would be issued.
    pub issued_at: Timestamp,
}

/// Reads a file: a template, or documents one a line or in typed form.
///
/// # Errors
/// `template.invalid`; `bundle.malformed`, `envelope.*`, `payload.*`; `signature.*` for a request;
/// `usage.invalid` for a ledger, `input.unreadable` for what is none of these.
pub fn read(bytes: &[u8], fill: Fill) -> Result<Vec<Content>, Refusal> {
    if bytes.starts_with(b"{\"seq\":") {
        return Err(Refusal::usage("this is a ledger, not a document", "Give it as --ledger."));
    }
    if bytes.starts_with(b"{") || is_typed_form(bytes) {
        return open_lines(bytes)?.into_iter().map(document).collect();
    }
    let text = std::str::from_utf8(bytes).map_err(|_| {
        let what = "neither a template (it is not UTF-8) nor a document";
        Refusal::new(Code::InputUnreadable, what).with_next("Check that it is the right file.")
    })?;
    let template = template::read(text)?;
    let license_id = template.license_id().unwrap_or(fill.license_id);
    let license = template.license(license_id, Positive::MIN, fill.issuer, fill.issued_at)?;
    Ok(vec![Content::Template(Box::new(license))])
}

/// The ids of the keys that a document says signed it.
pub fn key_ids(document: &Envelope) -> Vec<KeyId> {
    document.key_ids().collect()
}

fn document(document: Envelope) -> Result<Content, Refusal> {
    Ok(match document.kind() {
        DocumentType::License => Content::License(Box::new(claim(&document)?), document),
        DocumentType::Root => Content::Root(claim(&document)?, document),
        DocumentType::Revocations => Content::Revocations(claim(&document)?, document),
        DocumentType::Request => Content::Request(Box::new(open_request(document, None)?)),
        other => Content::Other(other),
    })
}

/// What a document says, whoever signed it.
fn claim<T: Payload>(document: &Envelope) -> Result<T, PayloadError> {
    let content: T = serde_json::from_slice(document.danger_unverified_payload())
        .map_err(|source| PayloadError::Malformed { document: T::TYPE, source })?;
    content.check()?;
    Ok(content)
}
