//! Loss: what worked by the old side and would not by the new one.

use std::collections::BTreeSet;

use farhold_bundle::{
    KeyId, LineKey,
    payload::{Binding, Entitlement, License, Role},
};
use farhold_policy::{
    ContentChange, EntitlementChange, EntitlementLimits, EntitlementTerms, Scope,
};

use super::side::{Held, Side};

/// Something that worked and would not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The line that it is of.
    pub line: LineKey,
    /// What, as a sentence.
    pub what: String,
}

/// Everything that the new side takes away from a site that stands on the old one.
pub(super) fn losses(old: &Side, new: &Side) -> Vec<Loss> {
    let mut found = Vec::new();
    let mut add = |line: &LineKey, what: String| found.push(Loss { line: line.clone(), what });
    for held in old.licenses.iter().chain(&new.licenses) {
        let line = LineKey::of(&held.license);
        let list = new.revocations.as_ref();
        if held.is_signed() && list.is_some_and(|list| list.revokes(&held.license)) {
            add(&line, format!("{} is revoked", held.name()));
        } else if falls(held, old, new) {
            add(&line, format!("{} falls with its key, which is revoked", held.name()));
        }
    }
    let lines: BTreeSet<LineKey> = old.lines().collect();
    for line in lines {
        if let (Some(before), Some(after)) = (old.newest(&line), new.newest(&line)) {
            // A site keeps the higher serial, whatever a lower one says.
            let takes_over = !after.is_signed() || after.license.serial >= before.license.serial;
            if takes_over || !before.is_signed() {
                for what in of_license(&before.license, &after.license) {
                    add(&line, what);
                }
            }
        }
    }
    found.dedup();
    found
}

/// Whether too few of its signatures are left by the new side's newest root.
fn falls(held: &Held, old: &Side, new: &Side) -> bool {
    let Some(root) = new.newest_root().filter(|_| held.is_signed()) else { return false };
    let is_revoked = |id: &&KeyId| root.revoked_keys.contains(id);
    let left = held.key_ids.iter().filter(|id| !is_revoked(id)).count() as u64;
    let required = old.newest_root().and_then(|root| root.role(Role::License));
    let required = required.map_or(1, |role| role.threshold.as_u64());
    held.key_ids.iter().any(|id| is_revoked(&id)) && left < required
}

/// What one license grants that its successor does not.
fn of_license(old: &License, new: &License) -> Vec<String> {
    let mut lost = Vec::new();
    let changes = ContentChange::between(Some(old), Some(new)).entitlements;
    lost.extend(changes.iter().flat_map(|change| of_entitlement(change, new)));
    match (old.end(), new.end()) {
        (Some(was), Some(is)) if is < was => lost.push(format!("it ends {is} instead of {was}")),
        (None, Some(is)) => lost.push(format!("it ends {is}; it had no end")),
        _ => {}
    }
    match (old.stop(), new.stop()) {
        (Some(was), Some(is)) if is < was => {
            lost.push(format!("everything stops {is} instead of {was}"));
        }
        _ => {}
    }
    if let Some(end) = old.end().filter(|end| *end < new.not_before) {
        lost.push(format!("nothing holds from {end} to {}", new.not_before));
    }
    for mode in old.modes.difference(&new.modes) {
        lost.push(format!("{} sites refuse it", mode.as_str()));
    }
    match (&old.binding, &new.binding) {
        (was, is) if was == is => {}
        (_, Some(Binding::DeviceKey(key))) => {
            lost.push(format!("every machine but device {key} refuses it"));
        }
        (_, Some(Binding::Fingerprint(_))) => {
            lost.push("machines that have too few of its fingerprint refuse it".to_owned());
        }
        _ => {}
    }
    if let Some(versions) = new.versions.as_ref().filter(|_| old.versions != new.versions) {
        lost.push(format!("versions of the product outside {versions} are not covered"));
    }
    match (old.released_before, new.released_before) {
        (Some(was), None) => {
            lost.push(format!("runtimes released before {was} are no longer covered without end"));
        }
        (Some(was), Some(is)) if is < was => lost.push(format!(
            "runtimes released from {is} to {was} are no longer covered without end"
        )),
        _ => {}
    }
    if new.needs.root > old.needs.root || new.needs.revocations > old.needs.revocations {
        lost.push(format!(
            "sites without root {} and revocations {} refuse it",
            new.needs.root, new.needs.revocations
        ));
    }
    lost
}

fn of_entitlement(change: &EntitlementChange, new: &License) -> Vec<String> {
    let name = format!("{} for {}", change.feature, change.scope);
    let Some(was) = &change.before else { return Vec::new() };
    let after = change.after.clone().or_else(|| for_everyone(&change.feature, new));
    let Some(is) = &after else { return vec![format!("{name} is no longer granted")] };
    let mut lost = Vec::new();
    let mut less = |what: &str, was: Option<u64>, is: Option<u64>| match (was, is) {
        (Some(was), Some(is)) if is < was => {
            lost.push(format!("{name}: {what} {is} instead of {was}"));
        }
        (None, Some(is)) => lost.push(format!("{name}: {what} {is}; it had none")),
        _ => {}
    };
    less("quota", units(was), units(is));
    less("concurrency", was.limits.concurrency, is.limits.concurrency);
    if is.limits.quota.is_some()
        && was.limits.time_window.is_some()
        && is.limits.time_window.is_none()
    {
        lost.push(format!("{name}: its quota is for the contract's life; it was renewed"));
    }
    match (was.valid_until, is.valid_until) {
        (Some(was), Some(is)) if is < was => {
            lost.push(format!("{name} ends {is} instead of {was}"))
        }
        (None, Some(is)) => lost.push(format!("{name} ends {is}; it had no end of its own")),
        _ => {}
    }
    lost
}

/// What everybody gets, also those who had an entitlement of their own.
fn for_everyone(feature: &str, new: &License) -> Option<EntitlementTerms> {
    let is_it = |it: &&Entitlement| it.feature == feature && Scope::of(it) == Scope::Everyone;
    new.entitlements.iter().find(is_it).map(|entitlement| EntitlementTerms {
        limits: EntitlementLimits::from(entitlement),
        valid_until: entitlement.valid_until,
        ladder: entitlement.ladder.clone(),
    })
}

/// All units that are given in a window, the overage included.
fn units(terms: &EntitlementTerms) -> Option<u64> {
    Some(terms.limits.quota? + terms.limits.overage.unwrap_or(0))
}
