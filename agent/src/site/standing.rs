//! What the vendor's documents say at a start: from the database, the second copy, the package.

use std::path::Path;

use farhold_bundle::{Standing, TrustRoot};
use farhold_store::{Store, StoreError, read_second_copy, write_second_copy};

/// What stands: of database and second copy, the one that stands higher (`bundle.md` §3.6); at a
/// first start, the root that the vendor's package brought.
pub(super) fn standing(
    store: &mut Store,
    state_dir: &Path,
    trust_file: &Path,
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
    if same_issuer(&first, &second) && second.height() > first.height() {
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
    if second.height() < first.height() {
        copy(state_dir, &first);
    }
    Ok(first)
}

/// A copy under another issuer's root is nobody's second copy.
fn same_issuer(first: &Standing, second: &Standing) -> bool {
    let issuer = |standing: &Standing| standing.root().map(|root| root.root().issuer.id);
    issuer(first).is_none_or(|known| issuer(second) == Some(known))
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

fn packaged_trust(file: &Path) -> Option<Standing> {
    let bytes = std::fs::read(file).ok()?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    match TrustRoot::install(line, None) {
        Ok(root) => {
            tracing::info!(root.version = root.version(), root.sha256 = %root.root().sha256(), "the packaged trust root is installed");
            Some(Standing::with_trust(root))
        }
        Err(reason) => {
            tracing::error!(file = %file.display(), reason = %crate::error_chain(&reason), "the packaged trust root is refused");
            None
        }
    }
}
