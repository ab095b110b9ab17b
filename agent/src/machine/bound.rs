//! Bound licenses: those of this site that hang on the machine, and how they hold.

use std::collections::BTreeMap;

use farhold_bundle::{
    Comparison, ComponentState, Standing, Verified,
    payload::{Binding, FingerprintBinding, License},
};
use farhold_contract::{Code, Timestamp};
use farhold_policy::{LicenseView, LineView, Now, Phase};

use crate::snapshot::Snapshot;

/// A license that hangs on the components of this machine.
pub struct Bound<'s> {
    /// The license.
    pub license: &'s Verified<License>,
    /// What it is bound to.
    pub binding: &'s FingerprintBinding,
    /// How that compares with the machine.
    pub comparison: Comparison,
    /// Those of its components that hold without having been read, each with since when.
    pub remembered: BTreeMap<String, Timestamp>,
}

/// Each line's license in force that is bound to components, and those that would be in force if
/// their binding still held.
pub fn bound_licenses<'s>(snapshot: &'s Snapshot, now: &Now) -> Vec<Bound<'s>> {
    let lines = snapshot.documents.policy.lines(now);
    let standing = &snapshot.documents.standing;
    let concerned = lines.iter().flat_map(concerned);
    concerned
        .filter_map(|view| {
            let (license, binding) = binding_of(standing, view)?;
            Some(beside(snapshot, license, binding))
        })
        .collect()
}

/// A license's binding beside the machine as it was last looked at.
pub fn beside<'s>(
    snapshot: &Snapshot,
    license: &'s Verified<License>,
    binding: &'s FingerprintBinding,
) -> Bound<'s> {
    let comparison = binding.compare(&snapshot.facts.fingerprint, &snapshot.machine.unread());
    let known = snapshot.machine.remembered();
    let unknown =
        comparison.components.iter().filter(|(_, state)| **state == ComponentState::Unknown);
    let remembered = unknown
        .filter_map(|(name, _)| {
            let here = comparison.renamed.get(name).unwrap_or(name);
            Some((name.clone(), *known.get(here)?))
        })
        .collect();
    Bound { license, binding, comparison, remembered }
}

/// The document of a license that is bound to components, with its binding.
pub fn binding_of<'s>(
    standing: &'s Standing,
    view: &LicenseView,
) -> Option<(&'s Verified<License>, &'s FingerprintBinding)> {
    let license = standing.licenses().iter().find(|license| license.sha256() == view.sha256)?;
    match &license.binding {
        Some(Binding::Fingerprint(binding)) => Some((license, binding)),
        _ => None,
    }
}

/// What has changed of what licenses are bound to, for people; `None` if nothing has.
pub fn drift(snapshot: &Snapshot, now: &Now) -> Option<String> {
    let told: Vec<String> = bound_licenses(snapshot, now).iter().filter_map(Bound::drift).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

impl Bound<'_> {
    /// What has changed, for people; `None` if nothing has.
    pub fn drift(&self) -> Option<String> {
        let changed = self.comparison.count(ComponentState::Changed);
        let of = self.comparison.components.len();
        if changed == 0 && self.comparison.holds() {
            return None;
        }
        let License { license_id, serial, product, .. } = self.license.content();
        let required = self.comparison.required;
        let outlook = match (self.comparison.holds(), self.comparison.bears()) {
            (false, _) => format!("it no longer holds, {} must come back", self.comparison.lacks()),
            (true, 0) => "it bears no more change".to_owned(),
            (true, 1) => "it bears 1 more change".to_owned(),
            (true, more) => format!("it bears {more} more changes"),
        };
        Some(format!(
            "{product}, license {license_id} serial {serial}: {changed} of {of} components changed, {required} are needed, {outlook}"
        ))
    }

    /// What the next change of the machine would do, seen or not yet seen.
    pub fn next_change(&self) -> String {
        let change = self.next_seen_change();
        let read = self.comparison.count(ComponentState::Same);
        if !self.comparison.holds() || read >= self.comparison.required {
            return change;
        }
        format!(
            "{change} It holds by memory: only {read} of the {} needed can be read. If too many of the others are found to be others when they can be read again, it no longer holds.",
            self.comparison.required
        )
    }

    fn next_seen_change(&self) -> String {
        match (self.comparison.holds(), self.comparison.bears()) {
            (false, _) => format!(
                "It does not hold: checks are refused until {} of the changed components come back, or the vendor answers a request of this machine.",
                self.comparison.lacks()
            ),
            (true, 0) => {
                "The next change ends it: ask the vendor for a rehost now (farhold request)."
                    .to_owned()
            }
            (true, bears) => format!(
                "The next change leaves {} of {} needed: it still holds, and bears {} more after that.",
                self.comparison.holding - 1,
                self.comparison.required,
                bears - 1
            ),
        }
    }
}

/// From the highest serial of a line down to the one in force: what decides, and what is kept from
/// deciding by its binding alone.
fn concerned(line: &LineView) -> impl Iterator<Item = &LicenseView> {
    let in_force = line.licenses.iter().position(|license| license.in_force);
    let above = &line.licenses[..in_force.unwrap_or(line.licenses.len())];
    let kept_out = above.iter().find(|license| {
        let ended = matches!(license.phase, Phase::NotBegun | Phase::Stopped);
        license.barred == Some(Code::LicenseBinding) && !license.revoked && !ended
    });
    kept_out.into_iter().chain(in_force.map(|at| &line.licenses[at]))
}
