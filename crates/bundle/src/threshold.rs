//! The one place where signatures are counted.

use std::collections::BTreeSet;

use crate::{
    envelope::Envelope,
    error::SignatureError,
    key::{KeyId, PublicKey},
    payload::Role,
    verified::Proven,
};

/// A group of keys of which so many must sign.
pub(crate) struct Quorum<'a> {
    pub(crate) role: Role,
    pub(crate) keys: Vec<&'a PublicKey>,
    pub(crate) threshold: u64,
}

impl<'a> Quorum<'a> {
    fn key(&self, id: KeyId) -> Option<&'a PublicKey> {
        self.keys.iter().copied().find(|key| key.id() == id)
    }

    /// Whether signatures by these keys, if they hold, prove a line: all are its own, and enough.
    pub(crate) fn is_met_by(&self, ids: impl Iterator<Item = KeyId>) -> bool {
        let mut signers = BTreeSet::new();
        let all_known = ids.into_iter().all(|id| {
            signers.insert(id);
            self.key(id).is_some()
        });
        all_known && signers.len() as u64 >= self.threshold
    }
}

/// Proves an envelope by every quorum (`bundle.md` §1.4).
///
/// Every signature must be by a different key of some quorum and hold: a surplus one that is
/// broken refuses the line, so that no bit of it is free. A key counts once in each quorum.
pub(crate) fn prove(envelope: Envelope, quorums: &[Quorum<'_>]) -> Result<Proven, SignatureError> {
    // bundle.md §1.5: ids are looked up before any arithmetic.
    let mut signers = BTreeSet::new();
    let mut keys = Vec::with_capacity(envelope.signatures().len());
    for signature in envelope.signatures() {
        let key_id = signature.key_id;
        let key = quorums
            .iter()
            .find_map(|quorum| quorum.key(key_id))
            .ok_or(SignatureError::UnknownKey { key: key_id })?;
        if !signers.insert(key_id) {
            return Err(SignatureError::DuplicateKey { key: key_id });
        }
        keys.push(key);
    }
    for quorum in quorums {
        let valid = quorum.keys.iter().filter(|key| signers.contains(&key.id())).count() as u64;
        if valid < quorum.threshold {
            return Err(SignatureError::Threshold {
                role: quorum.role,
                valid,
                required: quorum.threshold,
            });
        }
    }
    let message = envelope.signed_bytes();
    for (signature, key) in envelope.signatures().iter().zip(keys) {
        if !key.verifies(&message, &signature.bytes) {
            return Err(SignatureError::Invalid { key: signature.key_id });
        }
    }
    Ok(Proven::after_proof(envelope, signers))
}
