//! The machine at a start: as it is kept, and as it is found.

use farhold_contract::{Timestamp, id::IssuerId};

use crate::machine::{Found, Look, MachineState, Memory, Observed};

/// The machine as it is, and what of that is to be kept.
pub(super) struct MachineFound {
    pub(super) machine: MachineState,
    /// Components that have changed, where there is something to keep.
    pub(super) news: Option<Vec<String>>,
}

pub(super) fn machine_found(
    found: &Found,
    issuer: Option<IssuerId>,
    look: &Look,
    mark: Timestamp,
) -> MachineFound {
    let kept = &found.kept.machine;
    let known = kept.clone().unwrap_or_else(|| Memory::new(issuer));
    let Observed { state: machine, changed } = MachineState::observe(known, issuer, look, mark);
    machine.warn_of_ignored(None);
    let news = !(found.in_database && found.in_copy) || kept.as_ref() != Some(&machine.memory);
    MachineFound { machine, news: news.then_some(changed) }
}
