//! What the vendor's documents say at a start: from the database, the second copy, the package.

use std::path::Path;

use farhold_bundle::{
    LIMITS, PublicKey, Standing, TrustRoot, Verified,
    payload::{Binding, License},
};
use farhold_store::{Store, StoreError, read_second_copy, write_second_copy};

use crate::file;

/// What stands at a start, and where it was found.
pub(super) struct Stood {
    pub(super) standing: Standing,
    /// Whether the second copy stood higher than a database that had a root, and serves.
    pub(super) by_second_copy: bool,
}

/// What stands: of database and second copy, the one that stands higher (`bundle.md` §3.6); at a
/// first start, the root that the vendor's package brought.
pub(super) fn standing(
    store: &mut Store,
    state_dir: &Path,
    trust_file: &Path,
    device_key: &PublicKey,
) -> Result<Stood, StoreError> {
    let of_database = |standing| Stood { standing, by_second_copy: false };
    let first = reload("database", &store.document_lines()?);
    let second = match read_second_copy(state_dir) {
        Ok(lines) => reload("second copy", &lines),
        // An unreadable copy takes no rights away.
        Err(error) => {
            tracing::warn!(error = %crate::error_chain(&error), "the second copy of the documents can't be read");
            Standing::default()
        }
    };
    let is_own = continues(&first, &second) && !has_a_foreign_license(&first, &second, device_key);
    if is_own && second.height() > first.height() {
        tracing::warn!(
            "the second copy of the documents stands higher than the database and serves"
        );
        keep(store, &second)?;
        return Ok(Stood { standing: second, by_second_copy: first.root().is_some() });
    }
    if first.root().is_none()
        && let Some(packaged) = packaged_trust(trust_file)
    {
        keep(store, &packaged)?;
        copy(state_dir, &packaged);
        return Ok(of_database(packaged));
    }
    if first.root().is_some() && (!is_own || second.height() < first.height()) {
        copy(state_dir, &first);
    }
    Ok(of_database(first))
}

/// A copy that does not hold the root in force, and so does not go on from it, is nobody's second
/// copy: whoever writes files makes a root of any number, and names any issuer in it.
fn continues(first: &Standing, second: &Standing) -> bool {
    let sha256 = |root: &TrustRoot| root.root().sha256();
    first.root().is_none_or(|known| second.roots().iter().any(|it| sha256(it) == sha256(known)))
}

/// No import here takes a license that is bound to another agent, or that needs more than stands: a
/// copy with one is another machine's, or was put together by hand.
fn has_a_foreign_license(first: &Standing, copy: &Standing, device_key: &PublicKey) -> bool {
    let known = |license: &Verified<License>| {
        first.licenses().iter().any(|it| it.sha256() == license.sha256())
    };
    copy.licenses().iter().any(|license| {
        matches!(&license.binding, Some(Binding::DeviceKey(key)) if key != device_key)
            || (first.root().is_some() && !known(license) && copy.meets(&license.needs).is_err())
    })
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
