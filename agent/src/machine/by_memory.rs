//! By memory: licenses that hold by what was read of the machine before, and not by what is read.
//!
//! What can't be read has not changed (`bundle.md` §7.2.5), and proves nothing either: so looks a
//! container without `/sys`, and so looks a copy of this state on another machine. It is told, to the
//! site and to whoever reads its requests and heartbeats; it denies nothing.

use std::{collections::BTreeSet, time::Duration};

use farhold_bundle::ComponentState;
use farhold_contract::{Timestamp, id::LicenseId};
use farhold_policy::Now;

use crate::snapshot::Snapshot;

use super::bound::{Bound, bound_licenses};

/// So long components may go unread before it is told: longer than a repair, a rescue system, or a
/// service that is late at boot.
const BORNE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The licenses that hold by memory now.
pub fn held_by_memory(snapshot: &Snapshot, now: &Now) -> BTreeSet<LicenseId> {
    let bound = bound_licenses(snapshot, now);
    let held = bound.iter().filter(|bound| bound.is_held_by_memory(now.mark));
    held.map(|bound| bound.license.license_id).collect()
}

/// Which licenses hold by memory, for people; `None` if none does.
pub fn by_memory(snapshot: &Snapshot, now: &Now) -> Option<String> {
    let bound = bound_licenses(snapshot, now);
    let held = bound.iter().filter(|bound| bound.is_held_by_memory(now.mark));
    let told: Vec<String> = held.map(Bound::memory).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

impl Bound<'_> {
    /// Whether it holds, and would not by what was read lately. At once where nothing that it is
    /// bound to is read and something of it has changed: what little can be seen is of another
    /// machine.
    fn is_held_by_memory(&self, mark: Timestamp) -> bool {
        let comparison = &self.comparison;
        let read = comparison.count(ComponentState::Same);
        if !comparison.holds() || read >= comparison.required {
            return false;
        }
        if read == 0 && comparison.count(ComponentState::Changed) > 0 {
            return true;
        }
        let is_late = |since: &&Timestamp| mark.saturating_since(**since) < BORNE;
        let lately = self.remembered.values().filter(is_late).count() as u64;
        read + lately < comparison.required
    }

    fn memory(&self) -> String {
        let license = self.license.content();
        let remembered: Vec<String> =
            self.remembered.iter().map(|(name, since)| format!("{name} since {since}")).collect();
        let changed = match self.comparison.count(ComponentState::Changed) {
            0 => String::new(),
            changed => format!(", {changed} changed"),
        };
        format!(
            "{}, license {} serial {}: {} of the {} components needed can be read{changed}; not read: {}",
            license.product,
            license.license_id,
            license.serial,
            self.comparison.count(ComponentState::Same),
            self.comparison.required,
            remembered.join(", ")
        )
    }
}
