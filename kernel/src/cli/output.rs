//! What is shown once: to standard output, or to a new file of its owner's alone.

use std::path::Path;

use anyhow::Context;

use farhold_contract::id::TokenId;
use farhold_keys::write_secret;
use farhold_terminal::Failure;

use super::client::{AdminDoor, Ask};

/// Writes a secret to a new file of mode 0600.
pub(super) fn write(path: &Path, secret: &str) -> Result<(), Failure> {
    write_secret(path, secret.as_bytes()).map_err(|error| {
        let what = format!("{} can't be written", path.display());
        Failure::new(error.code(), what).because(error)
    })
}

/// Revokes a token that nobody got, so that nobody can use it; `error` says why.
pub(super) fn take_back(
    door: &AdminDoor,
    path: &str,
    token_id: TokenId,
    error: anyhow::Error,
) -> anyhow::Result<()> {
    match door.call(Ask::delete(path)) {
        Ok(_) => Err(error),
        Err(second) => Err(error).with_context(|| {
            format!("token {token_id} was created and can't be revoked ({second:#})")
        }),
    }
}
