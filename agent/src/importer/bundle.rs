//! Bundle: the bytes that are imported, however they came, and their hash.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use farhold_api::Refusal;
use farhold_bundle::{decode_typed_form, is_typed_form};
use farhold_contract::{Code, Sha256Digest};

use super::refusal;

/// A bundle's lines, and their hash.
#[derive(Clone)]
pub(super) struct Bundle {
    pub(super) lines: Arc<Vec<u8>>,
    pub(super) sha256: Sha256Digest,
}

impl Bundle {
    /// A pasted or scanned document becomes the one line it was made from; one that can't stays
    /// as it came.
    pub(super) fn of(bytes: Vec<u8>) -> Result<Self, (Refusal, Self)> {
        if !is_typed_form(&bytes) {
            return Ok(Self::whole(bytes));
        }
        match decode_typed_form(&bytes) {
            Ok(mut line) => {
                line.push(b'\n');
                Ok(Self::whole(line))
            }
            Err(reason) => Err((refusal(reason.code(), &reason), Self::whole(bytes))),
        }
    }

    fn whole(lines: Vec<u8>) -> Self {
        let sha256 = Sha256Digest::new(Sha256::digest(&lines).into());
        Self { lines: Arc::new(lines), sha256 }
    }

    /// Refuses another bundle than the one that is wanted.
    pub(super) fn require(&self, expected: Option<Sha256Digest>) -> Result<(), Refusal> {
        match expected {
            Some(expected) if expected != self.sha256 => {
                let detail = format!("expected {expected}; this one is {}", self.sha256);
                Err(Refusal::new(Code::BundleUnexpected, detail))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use farhold_bundle::{Envelope, Signer, encode_typed_form, payload::ClockReset, seal};
    use farhold_contract::Timestamp;

    use super::*;

    #[test]
    fn a_pasted_document_becomes_the_bundle_it_was_made_from_and_has_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let signer = farhold_keys::create(&folder.path().join("key"), None).unwrap();
        let reset = ClockReset {
            device_key: signer.public_key().clone(),
            nonce: "ab".repeat(16),
            time: Timestamp::from_ms(1_800_000_000_000),
        };
        let mut bundle = seal(&reset, &signer).unwrap();
        let typed = encode_typed_form(&Envelope::open(&bundle).unwrap()).unwrap();
        bundle.push(b'\n');
        let pasted = format!("  {}\r\n{}\n", &typed[..40], &typed[40..]);
        let (pasted, plain) = (
            Bundle::of(pasted.into_bytes()).ok().unwrap(),
            Bundle::of(bundle.clone()).ok().unwrap(),
        );
        assert_eq!(*plain.lines, bundle, "a bundle stays as it is");
        assert_eq!(pasted.lines, plain.lines);
        assert_eq!(pasted.sha256, plain.sha256);
        pasted.require(Some(plain.sha256)).unwrap();
        let other = pasted.require(Some(Sha256Digest::new([0; 32]))).unwrap_err();
        assert_eq!(other.code, Code::BundleUnexpected);
    }
}
