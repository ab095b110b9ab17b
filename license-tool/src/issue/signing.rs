//! Signing: what has become of the keys that signed what the ledger has.

use farhold_bundle::{KeyId, TrustRoot};

use crate::root::role_of;

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
pub fn signing(keys: &[KeyId], root: &TrustRoot) -> Signing {
    let content = root.root().content();
    let license = &content.roles.license;
    let meets = |counts: &dyn Fn(&KeyId) -> bool| {
        keys.iter().filter(|key| counts(key)).count() as u64 >= license.threshold.as_u64()
    };
    let is_revoked = |key: &KeyId| content.revoked_keys.contains(key);
    if keys.iter().all(|key| license.key_ids.contains(key)) && meets(&|_| true) {
        return Signing::Current;
    }
    // A site that has it drops the revoked signatures, and the rest must be enough.
    let counts = |key: &KeyId| license.key_ids.contains(key);
    if keys.iter().any(is_revoked) {
        return if meets(&counts) { Signing::Former } else { Signing::Fallen };
    }
    // Before the first root nothing was rotated: what it does not list is another chain's.
    let is_first = root.version() == 1;
    if is_first && keys.iter().any(|key| role_of(content, *key).is_none()) {
        return Signing::Fallen;
    }
    Signing::Former
}
