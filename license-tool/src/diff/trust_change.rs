//! Trust change: how one root differs from another.

use std::collections::BTreeSet;

use farhold_bundle::{
    KeyId, Positive,
    payload::{Role, Root},
};
use farhold_contract::{Sha256Digest, Timestamp};

/// How one root differs from another.
#[derive(Debug)]
pub struct TrustChange {
    /// The version before; absent: the old side has no root.
    pub before: Option<Positive>,
    /// The version after.
    pub after: Positive,
    /// When each ends, if that differs.
    pub expires: Option<(Timestamp, Timestamp)>,
    /// Roles that differ.
    pub roles: Vec<RoleChange>,
    /// Keys that are revoked now and were not.
    pub revoked: Vec<KeyId>,
    /// CAs of the Kernel that are named now and were not.
    pub kernel_ca_added: Vec<Sha256Digest>,
    /// CAs of the Kernel that were named.
    pub kernel_ca_removed: Vec<Sha256Digest>,
}

/// How the keys of one role differ.
#[derive(Debug)]
pub struct RoleChange {
    /// The role.
    pub role: Role,
    /// Its new keys.
    pub added: Vec<KeyId>,
    /// The keys that it had.
    pub removed: Vec<KeyId>,
    /// How many must sign, before and after, if that differs.
    pub threshold: Option<(Positive, Positive)>,
}

impl TrustChange {
    /// Between the newest roots of two sides; none where the new side has none, or the same one.
    pub(super) fn between(before: Option<&Root>, after: Option<&Root>) -> Option<Self> {
        let after = after?;
        if before == Some(after) {
            return None;
        }
        let roles = after.roles().into_iter().filter_map(|(role, keys)| {
            let old = before.and_then(|before| before.role(role));
            let was: BTreeSet<KeyId> =
                old.into_iter().flat_map(|old| old.key_ids.iter().copied()).collect();
            let is: BTreeSet<KeyId> = keys.key_ids.iter().copied().collect();
            let change = RoleChange {
                role,
                added: is.difference(&was).copied().collect(),
                removed: was.difference(&is).copied().collect(),
                threshold: old
                    .map(|old| (old.threshold, keys.threshold))
                    .filter(|(was, is)| was != is),
            };
            let differs = !change.added.is_empty()
                || !change.removed.is_empty()
                || change.threshold.is_some();
            differs.then_some(change)
        });
        let not_in = |all: &[Sha256Digest], other: &[Sha256Digest]| {
            all.iter().filter(|ca| !other.contains(ca)).copied().collect()
        };
        let old_ca = before.map_or(&[][..], |before| &before.kernel_ca);
        let was_revoked =
            |id: &KeyId| before.is_some_and(|before| before.revoked_keys.contains(id));
        Some(Self {
            before: before.map(|before| before.version),
            after: after.version,
            expires: before
                .map(|before| (before.expires, after.expires))
                .filter(|(was, is)| was != is),
            roles: roles.collect(),
            revoked: after.revoked_keys.iter().filter(|id| !was_revoked(id)).copied().collect(),
            kernel_ca_added: not_in(&after.kernel_ca, old_ca),
            kernel_ca_removed: not_in(old_ca, &after.kernel_ca),
        })
    }
}
