//! Rotate: a new CA beside the old one, so that nobody who sleeps through it is stranded.
//!
//! The new CA issues from then on. The old one has certified the new one's key, and that
//! certificate goes out with the server's: an agent that knows only the old CA still finds its
//! way, and learns the new one at its next renewal. The old CA's key is gone afterwards.

use std::{fs, io};

use farhold_contract::{Sha256Digest, Timestamp};
use farhold_keys::write_secret;

use crate::{
    ca::{Authority, AuthorityError, ca_params, make_key},
    data_dir::{DataDir, DataDirError},
    init::InitError,
    place::replace,
};

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
