//! Documents an agent signs with its own key.

use crate::{
    envelope::Envelope,
    error::RefusalReason,
    key::PublicKey,
    payload::{Payload, Role},
    threshold::{Quorum, prove},
    verified::Verified,
};

/// Verifies a document by the device key it must be from: one signature, by that key.
///
/// # Errors
/// [`RefusalReason`] as for every document. Whether the key is the right one is the caller's to
/// know: the document's own word on it proves only that the two belong together.
pub fn verify_device_document<T: Payload>(
    envelope: Envelope,
    device_key: &PublicKey,
) -> Result<Verified<T>, RefusalReason> {
    let quorum = Quorum { role: Role::Device, keys: vec![device_key], threshold: 1 };
    Ok(prove(envelope, &[quorum])?.parse()?)
}
