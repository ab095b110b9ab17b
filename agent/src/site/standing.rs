//! What the vendor's documents say at a start: from the database, the second copy, the package.

use std::path::Path;

use farhold_bundle::{LIMITS, PublicKey, Standing, TrustRoot, payload::Binding};
use farhold_store::{Store, StoreError, read_second_copy, write_second_copy};

use crate::file;

/// What stands: of database and second copy, the one that stands higher (`bundle.md` §3.6); at a
/// first start, the root that the vendor's package brought.
pub(super) fn standing(
    store: &mut Store,
    state_dir: &Path,
    trust_file: &Path,
    device_key: &PublicKey,
) -> Result<Standing, StoreError> {
    let first = reload("database", &store.document_lines()?);
    let second = match read_second_copy(state_dir) {
        Ok(lines) => reload("second copy", &lines),
        // An unreadable copy takes no rights away.
        Err(error) => {
            tracing::warn!(error = %crate::error_chain(&error), "the second copy of the documents can't be read");
            Standing::default()
        }
    };
    let is_own = same_issuer(&first, &second) && !has_a_foreign_license(&second, device_key);
    if is_own && second.height() > first.height() {
        tracing::warn!(
            "the second copy of the documents stands higher than the database and serves"
        );
        keep(store, &second)?;
        return Ok(second);
    }
    if first.root().is_none()
        && let Some(packaged) = packaged_trust(trust_file)
    {
        keep(store, &packaged)?;
        copy(state_dir, &packaged);
        return Ok(packaged);
    }
    if first.root().is_some() && (!is_own || second.height() < first.height()) {
        copy(state_dir, &first);
    }
    Ok(first)
}

/// A copy under another issuer's root is nobody's second copy.
fn same_issuer(first: &Standing, second: &Standing) -> bool {
    let issuer = |standing: &Standing| standing.root().map(|root| root.root().issuer.id);
    issuer(first).is_none_or(|known| issuer(second) == Some(known))
}

/// No import here takes a license that is bound to another agent: a copy with one is another
/// machine's.
fn has_a_foreign_license(copy: &Standing, device_key: &PublicKey) -> bool {
    copy.licenses().iter().any(
        |license| matches!(&license.binding, Some(Binding::DeviceKey(key)) if key != device_key),
    )
}

/// A copy that can't be written takes no rights away: the database serves, and the next start tries again.
fn copy(state_dir: &Path, standing: &Standing) {
    if let Err(error) = write_second_copy(state_dir, &standing.to_bundle()) {
        tracing::error!(error = %crate::error_chain(&error), "the second copy of the documents could not be written");
    }
}

fn reload(copy: &str, lines: &[Vec<u8>]) -> Standing {
    let (standing, refused) = Standing::reload(lines.iter().map(Vec::as_slice));
    for reason in refused {
        tracing::error!(copy, reason = %crate::error_chain(&reason), "a stored document no longer verifies and is left out");
    }
    standing
}

fn keep(store: &mut Store, standing: &Standing) -> Result<(), StoreError> {
    let mut txn = store.begin()?;
    txn.put_documents(standing)?;
    txn.commit()
}

fn packaged_trust(path: &Path) -> Option<Standing> {
    let bytes = file::read(path, LIMITS.envelope_bytes + 1).ok()?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    match TrustRoot::install(line, None) {
        Ok(root) => {
            tracing::info!(root.version = root.version(), root.sha256 = %root.root().sha256(), "the packaged trust root is installed");
            Some(Standing::with_trust(root))
        }
        Err(reason) => {
            tracing::error!(file = %path.display(), reason = %crate::error_chain(&reason), "the packaged trust root is refused");
            None
        }
    }
}
