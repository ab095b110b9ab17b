//! Inspect: what a file claims. Nothing here is verified, and every line of it says so.

use std::io::{BufRead, Cursor, Read};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use farhold_audit::{Body, WireRecord};
use farhold_bundle::{Envelope, LIMITS, decode_typed_form, is_typed_form, payload::DocumentType};
use farhold_contract::{Code, Sha256Digest};

use crate::{draft::kind_of, export::next_line, refusal::Refusal};

/// What begins every line of an inspection.
pub const UNVERIFIED: &str = "UNVERIFIED  ";

/// One line of a file, as it claims to be.
#[derive(Debug)]
pub enum Claim {
    /// A signed document.
    Document {
        /// Its line in the file, from 1.
        line: usize,
        /// The type that it names.
        kind: DocumentType,
        /// The ids of the keys that it says signed it.
        key_ids: Vec<String>,
        /// SHA-256 of its payload.
        sha256: Sha256Digest,
        /// Its payload, if that is JSON; secrets are left out.
        payload: Option<Value>,
    },
    /// A record of an audit export.
    Record {
        /// Its line in the file, from 1.
        line: usize,
        /// What it says.
        record: Value,
    },
    /// Neither.
    Unreadable {
        /// Its line in the file, from 1.
        line: usize,
        /// Why.
        refusal: Refusal,
    },
}

/// Reads a file claim by claim: an envelope, a bundle, a typed form, or an audit export.
///
/// # Errors
/// `input.unreadable`; `typed_form.malformed`. A line that can't be read is a claim of its own.
pub fn inspect(mut file: impl BufRead, mut show: impl FnMut(Claim)) -> Result<(), Refusal> {
    let mut line = Vec::new();
    let unreadable = |error: std::io::Error| {
        Refusal::new(Code::InputUnreadable, format!("the file can't be read: {error}"))
    };
    let start = file.fill_buf().map_err(unreadable)?;
    if is_typed_form(start) {
        file.take(LIMITS.envelope_bytes as u64).read_to_end(&mut line).map_err(unreadable)?;
        show(document(1, &decode_typed_form(&line)?));
        return Ok(());
    }
    let mut number = 0;
    let mut is_export = false;
    while next_line(&mut file, LIMITS.envelope_bytes + 1, &mut line)? {
        number += 1;
        let content = line.strip_suffix(b"\n").unwrap_or(&line);
        let claim = if is_export { record(number, &line) } else { document(number, content) };
        if number == 1
            && let Claim::Document { kind: DocumentType::Checkpoint, .. } = claim
        {
            is_export = true;
        }
        let overlong = line.len() > LIMITS.envelope_bytes;
        show(claim);
        if overlong {
            break; // what follows is the rest of the same line
        }
    }
    if number == 0 {
        return Err(Refusal::new(Code::EnvelopeMalformed, "the file is empty"));
    }
    Ok(())
}

/// Reads bytes claim by claim.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_bytes(bytes: &[u8]) -> Result<Vec<Claim>, Refusal> {
    let mut claims = Vec::new();
    inspect(Cursor::new(bytes), |claim| claims.push(claim))?;
    Ok(claims)
}

fn document(line: usize, content: &[u8]) -> Claim {
    let envelope = match Envelope::open(content) {
        Ok(envelope) => envelope,
        Err(error) => return Claim::Unreadable { line, refusal: what_else(content, error.into()) },
    };
    let payload = envelope.danger_unverified_payload();
    let mut read: Option<Value> = serde_json::from_slice(payload).ok();
    // The secret of an enrollment opens the Kernel to whoever reads it here.
    if envelope.kind() == DocumentType::Enroll
        && let Some(secret) = read.as_mut().and_then(|payload| payload.get_mut("secret"))
    {
        *secret = Value::from("(not shown)");
    }
    Claim::Document {
        line,
        kind: envelope.kind(),
        key_ids: envelope.key_ids().map(|id| id.to_string()).collect(),
        sha256: Sha256Digest::new(Sha256::digest(payload).into()),
        payload: read,
    }
}

/// The refusal of what is no document, with what it rather is and which verb knows it.
fn what_else(content: &[u8], refusal: Refusal) -> Refusal {
    let starts = |head: &str| content.starts_with(head.as_bytes());
    let is_toml = || {
        let text = std::str::from_utf8(content).unwrap_or_default().trim_start();
        text.starts_with('#') || text.split_once('=').is_some_and(|(key, _)| is_bare_key(key))
    };
    let (what, next) = if starts("{\"seq\":") {
        ("a line of a ledger", "license-tool ledger verify proves it, ledger list shows it.")
    } else if starts("{\"farhold_slip\":") {
        ("the slip of a break-glass license", "license-tool ledger enter takes it in.")
    } else if let Ok(kind) = kind_of(content) {
        match kind {
            DocumentType::Root => {
                ("a draft of a root, which nobody has signed", "license-tool root show shows it.")
            }
            _ => ("a draft, which nobody has signed", "license-tool sign --dry-run shows it."),
        }
    } else if starts("-----BEGIN") {
        ("a key", "It stays where it is; keygen and root show tell its id.")
    } else if is_toml() {
        ("a template", "license-tool lint says what it hardly means, issue signs it.")
    } else {
        return refusal;
    };
    Refusal::new(refusal.code(), format!("this is {what}, not a signed document")).with_next(next)
}

fn is_bare_key(text: &str) -> bool {
    let key = text.trim_end();
    !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn record(line: usize, bytes: &[u8]) -> Claim {
    let record = match WireRecord::parse(bytes) {
        Ok(record) => record,
        Err(error) => {
            let refusal = Refusal::from_error(error.code(), &error);
            return Claim::Unreadable { line, refusal };
        }
    };
    let (event, withheld) = match &record.body {
        Body::Kept { event, .. } => {
            (serde_json::from_str(event).unwrap_or_else(|_| Value::from(event.as_ref())), None)
        }
        Body::Withheld(why) => (Value::Null, Some(why)),
    };
    let record = json!({
        "seq": record.link.seq,
        "recorded_at": record.link.recorded_at,
        "tenant_id": record.link.tenant_id,
        "class": record.link.class,
        "event": event,
        "withheld": withheld,
    });
    Claim::Record { line, record }
}
