//! Backfill: the runs of records that an agent is asked for again.

use farhold_audit::Epoch;
use farhold_contract::call::heartbeat::{Backfill, HeartbeatReport};

use crate::storage::HeldBranch;

/// Runs that an agent had a heartbeat ago and that have not come; and runs that stood before an
/// epoch and never came, as far as it still has them. Asking for what is on its way does no harm:
/// the agent goes on sending what it has not been receipted for.
pub(super) fn runs(
    held: &[HeldBranch],
    epoch: Epoch,
    before: Option<&HeartbeatReport>,
) -> Vec<Backfill> {
    let mut runs: Vec<Backfill> = Vec::new();
    if let Some(before) = before
        && before.epoch.parse() == Ok(epoch)
    {
        runs.extend(run(held, epoch, before.seq));
    }
    for branch in held {
        let previous = branch.opening.previous;
        // What an epoch says came before it, once for each epoch named.
        if previous.epoch != Epoch::NONE
            && previous.epoch != epoch
            && !runs.iter().any(|run| run.epoch == previous.epoch.to_string())
        {
            runs.extend(run(held, previous.epoch, previous.seq));
        }
    }
    runs
}

/// The run of an epoch up to `to` that is not held, if one is missing.
fn run(held: &[HeldBranch], epoch: Epoch, to: u64) -> Option<Backfill> {
    let tips = held.iter().filter(|branch| branch.opening.epoch == epoch);
    let tip = tips.map(|branch| branch.tip.seq).max().unwrap_or(0);
    (tip < to).then(|| Backfill { epoch: epoch.to_string(), from: tip + 1, to })
}
