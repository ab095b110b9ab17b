//! Concern: whether a file that was refused is one of the vendor's documents at all.
//!
//! Nothing is believed of it: the answer decides what is told, not what is taken.

use serde::Deserialize;

use farhold_bundle::{Envelope, is_typed_form};
use farhold_contract::id::IssuerId;

/// What every document's type begins with; whole, cut off or bent, a bundle has it in clear text.
const MARK: &[u8] = b"application/vnd.farhold.";

/// The one word that is read.
#[derive(Deserialize)]
struct Claim {
    issuer: IssuerClaim,
}

/// A license and a list of revocations name the issuer; a root describes it.
#[derive(Deserialize)]
#[serde(untagged)]
enum IssuerClaim {
    Named(IssuerId),
    Described { id: IssuerId },
}

/// Whether a bundle may be meant for a site under this issuer's root: it has documents, and not
/// all of them name another issuer. What is cut off or bent is meant for it.
pub(super) fn concerns(bytes: &[u8], issuer: Option<IssuerId>) -> bool {
    if is_typed_form(bytes) {
        return true;
    }
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| is_marked(line));
    lines.into_iter().any(|line| match (issued_by(line), issuer) {
        (Some(by), Some(own)) => by == own,
        _ => true,
    })
}

fn is_marked(line: &[u8]) -> bool {
    line.windows(MARK.len()).any(|window| window == MARK)
}

/// Whom a whole line says it is from.
fn issued_by(line: &[u8]) -> Option<IssuerId> {
    let envelope = Envelope::open(line).ok()?;
    let claim: Claim = serde_json::from_slice(envelope.danger_unverified_payload()).ok()?;
    Some(match claim.issuer {
        IssuerClaim::Named(id) | IssuerClaim::Described { id } => id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(last: u8) -> IssuerId {
        format!("01939b6e-3c5f-7a31-8b53-0f6f1c2d3e{last:02x}").parse().unwrap()
    }

    fn line(payload: &str) -> Vec<u8> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let payload = STANDARD.encode(payload);
        let (key, signature) = ("ab".repeat(32), STANDARD.encode([7; 64]));
        format!(
            "{{\"payload\":\"{payload}\",\"payloadType\":\"application/vnd.farhold.license.v1+json\",\
             \"signatures\":[{{\"keyid\":\"{key}\",\"sig\":\"{signature}\"}}]}}\n"
        )
        .into_bytes()
    }

    fn license_of(number: u8) -> Vec<u8> {
        line(&format!("{{\"issuer\":\"{}\"}}", issuer(number)))
    }

    #[test]
    fn what_has_no_document_in_it_concerns_nobody() {
        for junk in
            [&b""[..], b"hello\n", b"{\"payload\":\"\"}\n", &[0, 159, 146, 150], b"%PDF-1.7"]
        {
            assert!(!concerns(junk, Some(issuer(1))), "{junk:?}");
            assert!(!concerns(junk, None), "{junk:?}");
        }
    }

    #[test]
    fn a_document_of_ours_concerns_us_whole_or_cut_off() {
        let license = license_of(1);
        assert!(concerns(&license, Some(issuer(1))));
        assert!(concerns(&license[..license.len() - 20], Some(issuer(1))));
        assert!(concerns(b"FH1:garbled", Some(issuer(1))));
        let root = line(&format!("{{\"issuer\":{{\"id\":\"{}\",\"name\":\"A\"}}}}", issuer(1)));
        assert!(concerns(&root, Some(issuer(1))));
        assert!(concerns(&line("{\"device_key\":\"x\"}"), Some(issuer(1))), "a receipt names none");
    }

    #[test]
    fn a_bundle_of_another_vendors_is_none_of_ours_unless_ours_is_in_it() {
        let theirs = license_of(2);
        assert!(!concerns(&theirs, Some(issuer(1))));
        assert!(concerns(&theirs, None), "without a root nobody knows whose it is");
        assert!(concerns(&[theirs, license_of(1)].concat(), Some(issuer(1))));
    }
}
