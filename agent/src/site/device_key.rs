//! The device key: the key that an agent is.

use std::path::Path;

use farhold_keys::FileSigner;

use super::error::SiteError;

/// An agent is its device key: made once, at the first start.
pub(super) fn device_key(state_dir: &Path) -> Result<FileSigner, SiteError> {
    let path = state_dir.join("device.key");
    if path.exists() {
        return Ok(farhold_keys::load(&path, None)?);
    }
    Ok(farhold_keys::create(&path, None)?)
}
