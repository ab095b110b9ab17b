//! Change: what the next root is to have otherwise, and what it can't.

use std::collections::BTreeSet;

use farhold_bundle::{
    KeyId, LIMITS, Positive, PublicKey, TrustRoot,
    payload::{Payload, Role, RoleKeys, Root, RootKey},
};
use farhold_contract::{Code, Sha256Digest, Timestamp};

use crate::refusal::Refusal;

/// One thing that the next root has otherwise.
#[derive(Debug, Clone)]
pub enum Change {
    /// One more key of a role.
    AddKey {
        /// Its role, for ever.
        role: Role,
        /// The key.
        public_key: Box<PublicKey>,
        /// Where it lies, for people.
        name: Option<String>,
    },
    /// A key that signs nothing new; what it signed stays.
    RemoveKey(KeyId),
    /// A key whose documents fall.
    RevokeKey(KeyId),
    /// How many keys of a role must sign.
    SetThreshold {
        /// The role.
        role: Role,
        /// How many.
        threshold: Positive,
    },
    /// Past which the root brings in nothing new.
    SetExpires(Timestamp),
    /// One more CA of the issuer's Kernel, by the SHA-256 of its SPKI.
    AddKernelCa(Sha256Digest),
    /// One CA of the Kernel less.
    RemoveKernelCa(Sha256Digest),
}

/// The root after `before`, or `draft` of it, with these changes.
///
/// `made_at` is when the change is made, `expires` the end where neither the draft nor a change
/// says one.
///
/// # Errors
/// `root.invalid` with what contradicts itself or the root before.
pub fn next_root(
    before: &TrustRoot,
    draft: Option<&Root>,
    changes: &[Change],
    made_at: Timestamp,
    expires: Timestamp,
) -> Result<Root, Refusal> {
    let old = before.root();
    let mut next = match draft {
        Some(draft) => draft.clone(),
        None => {
            let version = Positive::new(before.version() + 1)
                .ok_or_else(|| invalid("there is no version after the last number"))?;
            Root { version, expires, ..old.content().clone() }
        }
    };
    next.issued_at = made_at;
    for change in changes {
        apply(&mut next, old, change)?;
    }
    require_follows(&next, before)?;
    Ok(next)
}

/// The key that is meant: by its id, its public half, the beginning of its id (8 digits or more),
/// or its name in the root.
///
/// # Errors
/// `usage.invalid` where none or several are meant.
pub fn find_key(root: &Root, text: &str) -> Result<KeyId, Refusal> {
    let lower = text.to_ascii_lowercase();
    let is_beginning = (8..=64).contains(&lower.len());
    let meant: BTreeSet<KeyId> = root
        .keys
        .iter()
        .filter(|key| {
            let id = key.public_key.id().to_string();
            (is_beginning && id.starts_with(&lower))
                || key.public_key.to_string() == lower
                || key.name.as_deref() == Some(text)
        })
        .map(|key| key.public_key.id())
        .collect();
    let next = "Give the key's id as root show prints it.";
    match (meant.len(), meant.first()) {
        (1, Some(&id)) => Ok(id),
        (0, _) => Err(Refusal::usage(format!("root {} has no key {text}", root.version), next)),
        (several, _) => {
            let what = format!("{several} keys of root {} may be meant by {text}", root.version);
            Err(Refusal::usage(what, next))
        }
    }
}

fn apply(next: &mut Root, old: &Root, change: &Change) -> Result<(), Refusal> {
    match change {
        Change::AddKey { role, public_key, name } => {
            require_addable(next, old, *role, public_key.id())?;
            role_mut(next, *role)?.key_ids.push(public_key.id());
            next.keys
                .push(RootKey { public_key: PublicKey::clone(public_key), name: name.clone() });
        }
        Change::RemoveKey(id) => {
            if !take_out(next, *id) {
                return Err(invalid(format!("key {id} is not in the root")));
            }
        }
        Change::RevokeKey(id) => {
            take_out(next, *id);
            if !next.revoked_keys.insert(*id) {
                return Err(invalid(format!("key {id} is revoked already")));
            }
        }
        Change::SetThreshold { role, threshold } => role_mut(next, *role)?.threshold = *threshold,
        Change::SetExpires(expires) => next.expires = *expires,
        Change::AddKernelCa(ca) => {
            if next.kernel_ca.contains(ca) {
                return Err(invalid(format!("the Kernel's CA {ca} is in the root already")));
            }
            next.kernel_ca.push(*ca);
        }
        Change::RemoveKernelCa(ca) => {
            let before = next.kernel_ca.len();
            next.kernel_ca.retain(|other| other != ca);
            if next.kernel_ca.len() == before {
                return Err(invalid(format!("the Kernel's CA {ca} is not in the root")));
            }
        }
    }
    Ok(())
}

/// One role a key, for ever, and none once it is revoked (`bundle.md` §2, §3.2).
fn require_addable(next: &Root, old: &Root, role: Role, id: KeyId) -> Result<(), Refusal> {
    if next.revoked_keys.contains(&id) {
        return Err(invalid(format!("key {id} is revoked, and comes back in no root"))
            .with_next("Make a new key: keygen."));
    }
    let other_place = "Make a key of its own for every place: keygen.";
    if let Some(has) = role_of(next, id) {
        let what = match has == role {
            true => format!("key {id} has the role {role} already"),
            false => format!("key {id} has the role {has}; a key has one role"),
        };
        return Err(invalid(what).with_next(other_place));
    }
    match role_of(old, id) {
        Some(had) if had != role => {
            let what = format!("key {id} had the role {had}; a key keeps its role for ever");
            Err(invalid(what).with_next(other_place))
        }
        _ => Ok(()),
    }
}

/// What a draft must be before anyone signs it; the complete root is verified once more, as a site
/// does.
///
/// # Errors
/// `trust.root_skipped`, `trust.issuer_mismatch`, `root.invalid`, `payload.malformed`.
pub(super) fn require_follows(next: &Root, before: &TrustRoot) -> Result<(), Refusal> {
    let old = before.root();
    if next.version.as_u64() != before.version() + 1 {
        let what = format!(
            "this is root {}; after root {} comes root {}",
            next.version,
            old.version,
            before.version() + 1
        );
        return Err(Refusal::new(Code::TrustSkipped, what)
            .with_next("Give as --root the root right before it."));
    }
    if next.issuer.id != old.issuer.id {
        let what = format!("it is {}'s; the root given is {}'s", next.issuer.id, old.issuer.id);
        return Err(Refusal::new(Code::TrustIssuer, what));
    }
    if let Some(forgotten) = old.revoked_keys.difference(&next.revoked_keys).next() {
        return Err(invalid(format!("key {forgotten} was revoked, and it no longer says so")));
    }
    for key in &next.keys {
        let id = key.public_key.id();
        let (had, has) = (role_of(old, id), role_of(next, id));
        if let (Some(had), Some(has)) = (had, has)
            && had != has
        {
            return Err(invalid(format!("key {id} had the role {had} and would have {has}")));
        }
    }
    for (role, keys) in next.roles() {
        require_enough(role, keys)?;
    }
    require_signable(&old.roles.root, &next.roles.root)?;
    Ok(next.check()?)
}

fn require_enough(role: Role, keys: &RoleKeys) -> Result<(), Refusal> {
    let (has, threshold) = (keys.key_ids.len(), keys.threshold.as_u64());
    if has as u64 >= threshold && threshold <= LIMITS.signatures as u64 {
        return Ok(());
    }
    let what = format!("the role {role} would have {has} keys, of which {threshold} must sign");
    Err(invalid(what).with_next(match has as u64 >= threshold {
        true => format!("A document carries at most {} signatures.", LIMITS.signatures),
        false => format!(
            "Add a {role} key first (root rotate takes one away with it), or ask for fewer \
             signatures."
        ),
    }))
}

/// The fewest signatures that meet both thresholds fit on one line.
fn require_signable(old: &RoleKeys, new: &RoleKeys) -> Result<(), Refusal> {
    let both = old.key_ids.iter().filter(|id| new.key_ids.contains(id)).count() as u64;
    let (old, new) = (old.threshold.as_u64(), new.threshold.as_u64());
    // Whoever stands in both roots signs once and counts twice.
    let counts_twice = both.min(old.max(new));
    let fewest = counts_twice + old.saturating_sub(counts_twice) + new.saturating_sub(counts_twice);
    if fewest <= LIMITS.signatures as u64 {
        return Ok(());
    }
    let limit = LIMITS.signatures;
    Err(invalid(format!("{fewest} people would have to sign; a root carries {limit} signatures"))
        .with_next("Change the root keys over two roots, so that some stand in both."))
}

/// Takes a key out of its role; whether it had one.
fn take_out(next: &mut Root, id: KeyId) -> bool {
    let before = next.keys.len();
    next.keys.retain(|key| key.public_key.id() != id);
    for role in [Role::Root, Role::License, Role::Revocation, Role::Kernel] {
        if let Ok(keys) = role_mut(next, role) {
            keys.key_ids.retain(|other| *other != id);
        }
    }
    next.keys.len() < before
}

fn role_mut(root: &mut Root, role: Role) -> Result<&mut RoleKeys, Refusal> {
    Ok(match role {
        Role::Root => &mut root.roles.root,
        Role::License => &mut root.roles.license,
        Role::Revocation => &mut root.roles.revocation,
        Role::Kernel => &mut root.roles.kernel,
        Role::Device => return Err(invalid("a root knows no device keys")),
    })
}

pub(crate) fn role_of(root: &Root, id: KeyId) -> Option<Role> {
    root.roles().into_iter().find(|(_, keys)| keys.key_ids.contains(&id)).map(|(role, _)| role)
}

fn invalid(what: impl Into<String>) -> Refusal {
    Refusal::new(Code::RootInvalid, what)
        .with_next("Change the draft otherwise; the root in force stays as it is.")
}
