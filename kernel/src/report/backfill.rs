//! Backfill: the runs of records that an agent is asked for again.

use std::collections::{BTreeMap, BTreeSet};

use farhold_audit::Epoch;
use farhold_contract::call::heartbeat::{Backfill, HeartbeatReport};

use crate::storage::HeldBranch;

/// Runs that one answer asks for. A device that was restored again and again has a few; one that
/// makes epochs up is asked for no more.
const RUNS: usize = 256;

/// Runs that an agent had a heartbeat ago and that have not come; and runs that stood before an
/// epoch and never came, as far as it still has them. Asking for what is on its way does no harm:
/// the agent goes on sending what it has not been receipted for.
pub(super) fn runs(
    held: &[HeldBranch],
    epoch: Epoch,
    before: Option<&HeartbeatReport>,
) -> Vec<Backfill> {
    let mut tips: BTreeMap<Epoch, u64> = BTreeMap::new();
    for HeldBranch { opening, tip, .. } in held {
        let highest = tips.entry(opening.epoch).or_default();
        *highest = (*highest).max(tip.seq);
    }
    let run = |epoch: Epoch, to: u64| {
        let tip = tips.get(&epoch).copied().unwrap_or(0);
        (tip < to).then(|| Backfill { epoch: epoch.to_string(), from: tip + 1, to })
    };
    let at_present = before.filter(|before| before.epoch.parse() == Ok(epoch));
    // What an epoch says came before it, once for each epoch named.
    let mut named = BTreeSet::new();
    let earlier = held.iter().map(|branch| branch.opening.previous).filter_map(|previous| {
        let is_asked = previous.epoch != Epoch::NONE && previous.epoch != epoch;
        let run = is_asked.then(|| run(previous.epoch, previous.seq)).flatten()?;
        named.insert(previous.epoch).then_some(run)
    });
    let at_present = at_present.and_then(|before| run(epoch, before.seq));
    at_present.into_iter().chain(earlier).take(RUNS).collect()
}
