//! Rotate: a new CA beside the old one, so that nobody who sleeps through it is stranded.
//!
//! The new CA issues from then on. The old one has certified the new one's key, and that
//! certificate goes out with the server's: an agent that knows only the old CA still finds its
//! way, and learns the new one at its next renewal. The old CA's key is gone afterwards.

use std::{fs, io};

use serde::Serialize;
use serde_json::json;

use farhold_bundle::Signer;
use farhold_contract::{Sha256Digest, Timestamp};
use farhold_keys::write_secret;

use crate::{
    ca::{Authority, AuthorityError, ca_params, make_key},
    clock::{Clock, SystemClock},
    data_dir::{DataDir, DataDirError},
    init::InitError,
    open,
    own_event::OwnEvent,
    place::replace,
};

/// What a rotation made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// SHA-256 of the new CA's SPKI: what the next trust root lists, and new enrollment tokens pin.
    pub ca_sha256: Sha256Digest,
    /// That of the one before.
    pub before_sha256: Sha256Digest,
}

/// Rotates the CA of a Kernel that does not run, and records it. It runs a runtime of its own: not
/// for asynchronous callers.
///
/// # Errors
/// [`InitError`]: `InUse` where the Kernel runs; else what could not be read or made.
pub fn rotate(data_dir: &DataDir) -> Result<Rotated, InitError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(InitError::Threads)?;
    runtime.block_on(rotate_recorded(data_dir, SystemClock.now()))
}

async fn rotate_recorded(data_dir: &DataDir, now: Timestamp) -> Result<Rotated, InitError> {
    data_dir.check()?;
    let receipts = farhold_keys::load(&data_dir.receipt_key(), None)?;
    // Held to the end: a Kernel that started meanwhile would go on under the CA it read.
    let storage = open::storage(data_dir, receipts.public_key(), now)?;
    let before_sha256 = Authority::load(data_dir)?.anchor_sha256();
    let ca_sha256 = rotate_ca(data_dir, now)?;
    let about = json!({"ca_sha256": ca_sha256, "before_sha256": before_sha256});
    let event = OwnEvent::new(open::internal_tenant(data_dir)?, "kernel.ca.rotated", about);
    storage.append_own(vec![event.record(now)]).await?;
    Ok(Rotated { ca_sha256, before_sha256 })
}

/// Makes a new CA for a Kernel that does not run; it takes effect at the next start. Returns the
/// SHA-256 of its SPKI: what the next trust root may list, and new enrollment tokens pin.
///
/// Interrupted, it leaves either CA in charge, and can be run again.
///
/// # Errors
/// [`InitError`] names what could not be read or made.
pub fn rotate_ca(data_dir: &DataDir, now: Timestamp) -> Result<Sha256Digest, InitError> {
    data_dir.check()?;
    let old = Authority::load(data_dir)?;
    let next_path = data_dir.next_ca_key();
    // What an interrupted rotation left behind is nobody's: the first certificate is the old CA's.
    match fs::remove_file(&next_path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(DataDirError::Unreadable { path: next_path, source: error }.into());
        }
        _ => {}
    }
    let trust_domain = data_dir.text(data_dir.trust_domain())?;
    let key = make_key()?;
    let params = ca_params(&trust_domain, now);
    let own = params.self_signed(&key).map_err(AuthorityError::from)?.pem();
    let crossed = old.certify_successor(&params, &key)?;

    write_secret(&next_path, key.serialize_pem().as_bytes())?;
    let mut certificates = own + &crossed;
    certificates.extend(old.certificates_pem());
    // From here on the new CA's certificate is the first, and its key is found under either name.
    replace(&data_dir.ca_certificates(), certificates.as_bytes())?;
    Ok(Authority::load(data_dir)?.anchor_sha256())
}
