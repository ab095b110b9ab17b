//! From one trust root to another: keys by name and id, thresholds, the Kernel's CAs.

use std::collections::BTreeSet;

use farhold_bundle::{
    KeyId, Role, Standing,
    payload::{Root, RootKey},
};
use farhold_contract::Sha256Digest;

use crate::admin::answer::changes::{
    KeyChange, KeyChangeAnswer, RootAnswer, ThresholdChangeAnswer, TrustChangeAnswer,
};

/// What a new root changes; absent: the root stays.
pub(super) fn between(before: &Standing, after: &Standing) -> Option<TrustChangeAnswer> {
    let (before, after) = (before.root()?.root(), after.root()?.root());
    if before.version == after.version {
        return None;
    }
    let pins = |root: &Root| root.kernel_ca.iter().copied().collect::<BTreeSet<_>>();
    let (old, new) = (pins(before), pins(after));
    let gone = |from: &BTreeSet<Sha256Digest>, to: &BTreeSet<Sha256Digest>| {
        from.difference(to).copied().collect()
    };
    Some(TrustChangeAnswer {
        before: RootAnswer { version: before.version.as_u64(), expires: before.expires },
        after: RootAnswer { version: after.version.as_u64(), expires: after.expires },
        keys: keys(before, after),
        thresholds: thresholds(before, after),
        kernel_ca_added: gone(&new, &old),
        kernel_ca_removed: gone(&old, &new),
    })
}

fn keys(before: &Root, after: &Root) -> Vec<KeyChangeAnswer> {
    let mut changes = Vec::new();
    for key in &after.keys {
        let key_id = key.public_key.id();
        let role = role_of(after, key_id);
        if named(before, key_id).is_none() {
            changes.push(answer(KeyChange::Added, key_id, Some(key), role));
        } else if role_of(before, key_id) != role {
            changes.push(answer(KeyChange::Moved, key_id, Some(key), role));
        }
    }
    let revoked: BTreeSet<KeyId> =
        after.revoked_keys.difference(&before.revoked_keys).copied().collect();
    for key in &before.keys {
        let key_id = key.public_key.id();
        // Told once, below, if it is more than removed.
        if named(after, key_id).is_none() && !revoked.contains(&key_id) {
            changes.push(answer(KeyChange::Removed, key_id, Some(key), role_of(before, key_id)));
        }
    }
    for key_id in revoked {
        // A key that was rotated out earlier has neither name nor role any more.
        let (key, role) = (named(before, key_id), role_of(before, key_id));
        changes.push(answer(KeyChange::Revoked, key_id, key, role));
    }
    changes
}

fn answer(
    change: KeyChange,
    key_id: KeyId,
    key: Option<&RootKey>,
    role: Option<Role>,
) -> KeyChangeAnswer {
    KeyChangeAnswer { change, key_id, name: key.and_then(|key| key.name.clone()), role }
}

fn named(root: &Root, key_id: KeyId) -> Option<&RootKey> {
    root.keys.iter().find(|key| key.public_key.id() == key_id)
}

fn role_of(root: &Root, key_id: KeyId) -> Option<Role> {
    let mut roles = root.roles().into_iter();
    roles.find(|(_, keys)| keys.key_ids.contains(&key_id)).map(|(role, _)| role)
}

fn thresholds(before: &Root, after: &Root) -> Vec<ThresholdChangeAnswer> {
    let both = before.roles().into_iter().zip(after.roles());
    both.filter(|((_, old), (_, new))| old.threshold != new.threshold)
        .map(|((role, old), (_, new))| ThresholdChangeAnswer {
            role,
            before: old.threshold.as_u64(),
            after: new.threshold.as_u64(),
        })
        .collect()
}
