//! Twin: the vendor's root with a throwaway key in the place of each of its own.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use farhold_bundle::{
    KeyId, Positive, Signer, TrustRoot, add_signature,
    payload::{License, Payload, Revocations, Role, RoleKeys, Root, RootKey},
    seal,
};
use farhold_contract::Timestamp;
use farhold_keys::Throwaway;

use super::Stage;
use crate::{
    issued::IssuedLicense,
    refusal::Refusal,
    root::{Change, Draft, next_root},
};

/// The twin of a vendor: its keys by the ids of those that they stand for.
pub(super) struct Twin {
    keys: BTreeMap<KeyId, Throwaway>,
    /// The root before, in which every key that ever signed a known license still has its role.
    former: TrustRoot,
    /// The twin of the root in force.
    current: TrustRoot,
    fresh: Throwaway,
}

impl Twin {
    /// Makes the twin of the root in force, and one root before it for keys rotated long ago.
    pub(super) fn of(stage: &Stage<'_>) -> Result<Self, Refusal> {
        let root = stage.root.root().content();
        let signed: BTreeSet<KeyId> =
            stage.issued.licenses().flat_map(|issued| issued.keys.iter().copied()).collect();
        let listed = root.keys.iter().map(|key| key.public_key.id());
        let mut keys = BTreeMap::new();
        for id in listed.chain(signed.iter().copied()).chain(root.revoked_keys.iter().copied()) {
            if let Entry::Vacant(free) = keys.entry(id) {
                free.insert(Throwaway::make()?);
            }
        }
        let fresh = Throwaway::make()?;
        let mut former = twin_content(root, &keys, stage.now);
        // Whoever signed a license that stands was a license key once, alone where one was enough.
        for id in signed.iter().filter(|id| stage.root.role_of(**id).is_none()) {
            let public_key = keys[id].public_key().clone();
            former.roles.license.key_ids.push(public_key.id());
            former.keys.push(RootKey { public_key, name: None });
        }
        former.revoked_keys.clear();
        former.roles.license.threshold = Positive::MIN;
        let mut current = twin_content(root, &keys, stage.now);
        current.version = following(current.version);

        let by_root: Vec<&dyn Signer> = signers(&keys, &root.roles.root);
        let former = TrustRoot::install(&sealed(&former, &by_root)?, None)?;
        let mut draft = Draft::new(current, &former)?;
        for signer in &by_root {
            draft = draft.sign(*signer, &former)?;
        }
        let current = draft.complete(&former)?;
        Ok(Self { keys, former, current, fresh })
    }

    /// The root that a site stood at before, where it must know keys that were rotated since.
    pub(super) const fn former(&self) -> &TrustRoot {
        &self.former
    }

    /// The twin of the root in force.
    pub(super) const fn current(&self) -> &TrustRoot {
        &self.current
    }

    /// The key that the recovery brings.
    pub(super) const fn fresh(&self) -> &Throwaway {
        &self.fresh
    }

    /// The throwaway key that stands for one of the vendor's.
    pub(super) fn key(&self, real: KeyId) -> Option<&Throwaway> {
        self.keys.get(&real)
    }

    /// A license, by the twins of the keys that signed it.
    pub(super) fn license(&self, issued: &IssuedLicense) -> Result<Vec<u8>, Refusal> {
        let by: Vec<&dyn Signer> = issued
            .keys
            .iter()
            .filter_map(|id| self.keys.get(id))
            .map(|key| key as &dyn Signer)
            .collect();
        sealed(&issued.license, &by)
    }

    /// Revocations, by as many twins of the role's keys as must sign.
    pub(super) fn revocations(&self, list: &Revocations) -> Result<Vec<u8>, Refusal> {
        sealed(list, &self.quorum(&self.current, Role::Revocation))
    }

    /// The next root with these changes, signed by all the root keys that are at hand.
    pub(super) fn next(
        &self,
        changes: &[Change],
        at_hand: impl Fn(KeyId) -> bool,
        now: Timestamp,
    ) -> Result<TrustRoot, Refusal> {
        let expires = self.current.root().expires;
        let next = next_root(&self.current, None, changes, now, expires)?;
        let mut draft = Draft::new(next, &self.current)?;
        for signer in self.keys.values().chain([&self.fresh]) {
            let id = signer.public_key().id();
            let may = draft.content().roles.root.key_ids.contains(&id)
                || self.current.role_of(id) == Some(Role::Root);
            if may && at_hand(id) && !draft.tally(&self.current).is_complete() {
                draft = draft.sign(signer, &self.current)?;
            }
        }
        draft.complete(&self.current)
    }

    /// As many keys of a role as a root asks for, the fresh one first.
    pub(super) fn quorum<'a>(&'a self, root: &TrustRoot, role: Role) -> Vec<&'a dyn Signer> {
        let Some(keys) = root.root().role(role) else { return Vec::new() };
        let all = std::iter::once(&self.fresh).chain(self.keys.values());
        let listed = all.filter(|key| keys.key_ids.contains(&key.public_key().id()));
        let enough = usize::try_from(keys.threshold.as_u64()).unwrap_or(usize::MAX);
        listed.map(|key| key as &dyn Signer).take(enough).collect()
    }
}

/// Seals a document by one key, and adds the others.
pub(super) fn sealed<T: Payload>(content: &T, by: &[&dyn Signer]) -> Result<Vec<u8>, Refusal> {
    let [first, others @ ..] = by else {
        return Err(Refusal::usage("nobody is left to sign", "Add a key to the role first."));
    };
    let mut line = seal(content, *first)?;
    for signer in others {
        line = add_signature(&line, *signer)?;
    }
    Ok(line)
}

/// A license with another serial.
pub(super) fn as_serial(license: &License, serial: Positive, now: Timestamp) -> License {
    License { serial, issued_at: now, ..license.clone() }
}

fn twin_content(root: &Root, keys: &BTreeMap<KeyId, Throwaway>, now: Timestamp) -> Root {
    let twin = |id: &KeyId| keys[id].public_key().clone();
    let role = |keys: &RoleKeys| RoleKeys {
        key_ids: keys.key_ids.iter().map(|id| twin(id).id()).collect(),
        threshold: keys.threshold,
    };
    let named = root.keys.iter();
    Root {
        keys: named
            .map(|key| RootKey { public_key: twin(&key.public_key.id()), name: key.name.clone() })
            .collect(),
        roles: farhold_bundle::payload::Roles {
            root: role(&root.roles.root),
            license: role(&root.roles.license),
            revocation: role(&root.roles.revocation),
            kernel: role(&root.roles.kernel),
        },
        revoked_keys: root.revoked_keys.iter().map(|id| twin(id).id()).collect(),
        // A root that has ended is a question of its own: the recovery brings a new one anyway.
        expires: root.expires.max(now + YEAR),
        ..root.clone()
    }
}

const YEAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 60 * 60);

fn signers<'a>(keys: &'a BTreeMap<KeyId, Throwaway>, role: &RoleKeys) -> Vec<&'a dyn Signer> {
    let enough = usize::try_from(role.threshold.as_u64()).unwrap_or(usize::MAX);
    role.key_ids.iter().take(enough).map(|id| &keys[id] as &dyn Signer).collect()
}

fn following(version: Positive) -> Positive {
    Positive::new(version.as_u64() + 1).unwrap_or(version)
}
