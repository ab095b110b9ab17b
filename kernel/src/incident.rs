//! Incident: the name under which one thing that went wrong is one alert, however often and by
//! whatever it is noticed.

use farhold_audit::Epoch;
use farhold_bundle::KeyId;
use farhold_contract::{
    Sha256Digest,
    id::{LicenseId, RuntimeId, TokenId},
};

use crate::storage::HeldBranch;

/// A state restored from a snapshot, or a copy of a machine: the agent both reports an earlier
/// place and goes on from there, and whichever the Kernel sees first raises the one alert.
///
/// `branch` counts the branches of the epoch before the one that this restore begins.
pub(crate) fn restored(device_key: KeyId, epoch: Epoch, branch: usize) -> String {
    format!("restored/{device_key}/{epoch}/{branch}")
}

/// How many branches of an epoch are held.
pub(crate) fn branches(held: &[HeldBranch], epoch: Epoch) -> usize {
    of_epoch(held, epoch).count()
}

/// Which branch an agent that reports an earlier place than before is on: the newest one, if it is
/// not the first and has that place or ends before it; else one that is still to come.
///
/// `is_held`: a record with the head reported is held. Records overtake a report made before them.
pub(crate) fn branch_of(held: &[HeldBranch], epoch: Epoch, seq: u64, is_held: bool) -> usize {
    let is_known = newest_fork(held, epoch)
        .is_some_and(|fork| fork.tip.seq <= seq || (is_held && fork.first_seq <= seq));
    branches(held, epoch) - usize::from(is_known)
}

/// Whether the newest branch goes on beyond a place that is reported only now.
pub(crate) fn is_overtaken(held: &[HeldBranch], epoch: Epoch, seq: u64) -> bool {
    newest_fork(held, epoch).is_some_and(|fork| seq < fork.tip.seq)
}

fn newest_fork(held: &[HeldBranch], epoch: Epoch) -> Option<&HeldBranch> {
    let newest = of_epoch(held, epoch).max_by_key(|branch| branch.branch);
    newest.filter(|branch| branch.forked_from.is_some())
}

/// Records of an epoch that never came.
pub(crate) fn missing(device_key: KeyId, epoch: Epoch, from: u64) -> String {
    format!("missing/{device_key}/{epoch}/{from}")
}

/// An agent that names a tenant which is not of its site, wherever it does: one flood, one alert.
pub(crate) fn foreign_tenant(agent: RuntimeId) -> String {
    format!("tenant.mismatch/agent {agent}")
}

/// Two machines with one device key.
pub(crate) fn cloned(device_key: KeyId) -> String {
    format!("cloned/{device_key}")
}

/// A site on another root. Which one is the site's word: it is no part of the name, or a site that
/// makes roots up would make alerts up with them.
pub(crate) fn foreign_root(device_key: KeyId) -> String {
    format!("foreign_root/{device_key}")
}

/// A license at more sites than it is for.
pub(crate) fn over_sites(license_id: LicenseId) -> String {
    format!("over_sites/{license_id}")
}

/// A license that the vendor's ledger does not have, at whatever sites.
pub(crate) fn not_in_ledger(license: Sha256Digest) -> String {
    format!("not_in_ledger/{license}")
}

/// A site that names more such licenses than are told one by one; which, is its word.
pub(crate) fn many_not_in_ledger(device_key: KeyId) -> String {
    format!("not_in_ledger/many/{device_key}")
}

/// An enrollment token in other hands than those that used it: keys cost nothing, so each is not an
/// incident of its own.
pub(crate) fn token_reused(token_id: TokenId) -> String {
    format!("token_reused/{token_id}")
}

fn of_epoch(held: &[HeldBranch], epoch: Epoch) -> impl Iterator<Item = &HeldBranch> {
    held.iter().filter(move |branch| branch.opening.epoch == epoch)
}
