//! Signing: what has become of the keys that signed what the ledger has.

use std::collections::BTreeSet;

use farhold_bundle::{KeyId, TrustRoot};

use crate::{root::role_of, threshold};

/// How the signatures of a license stand under a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signing {
    /// By keys that the root lists: a site takes it.
    Current,
    /// By keys that were rotated out since: it stays where it is in force, and no site takes it
    /// anew (`bundle.md` §3.4).
    Former,
    /// By keys that were revoked, or that never were of this chain of roots: it holds nowhere.
    Fallen,
}

/// How a license that these keys have signed stands under a root.
pub fn signing(keys: &BTreeSet<KeyId>, root: &TrustRoot) -> Signing {
    if is_current(keys, root) {
        return Signing::Current;
    }
    let content = root.root().content();
    let is_revoked = !keys.is_disjoint(&content.revoked_keys);
    // Before the first root nothing was rotated: what it does not list is another chain's.
    let is_strange = root.version() == 1
        && !is_revoked
        && keys.iter().any(|key| role_of(content, *key).is_none());
    match stands(keys, std::slice::from_ref(root)) && !is_strange {
        true => Signing::Former,
        false => Signing::Fallen,
    }
}

/// Whether a site at this root would take anew what these keys have signed.
pub fn is_current(keys: &BTreeSet<KeyId>, root: &TrustRoot) -> bool {
    threshold::is_proof(&root.root().roles.license, keys)
}

/// Whether what these keys have signed stands at a site that once took it and stands at these roots
/// now, the last one in force (`bundle.md` §3.4).
pub fn stands(keys: &BTreeSet<KeyId>, roots: &[TrustRoot]) -> bool {
    let Some(current) = roots.last() else { return false };
    let revoked = &current.root().revoked_keys;
    if keys.is_disjoint(revoked) {
        // Nobody took its signers' word back: rotated or not, what was accepted stays.
        return true;
    }
    // A site that has it drops the revoked signatures, and the rest must be enough.
    let left = keys - revoked;
    roots.iter().any(|root| threshold::is_met(&root.root().roles.license, &left))
}
