//! The tick: what happens without anybody asking.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use farhold_api::Refusal;
use farhold_bundle::Period;
use farhold_contract::{Timestamp, call::heartbeat::Health, id::RuntimeId};
use farhold_policy::DenialKey;
use farhold_store::StoreError;

use crate::{
    cap::{FULL_PERCENT, HIGH_PERCENT},
    denials::SharedDenials,
};

use super::{Owner, deny, group::Group, work::Operation};

/// How long a record stays after its receipt, where no license says otherwise.
const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Most steps of a thousand records in one tick: callers wait behind it.
const PRUNE_STEPS: usize = 10;

/// Keeps repeats of refusals, and heartbeats since the last tick; prunes what was receipted long
/// ago. Its group writes the clock's mark. `last` for the last tick of the process.
///
/// # Errors
/// As [`Owner::submit`]. Refusals that were not written are counted on.
pub async fn tick(
    owner: &Owner,
    denials: &Arc<SharedDenials>,
    heartbeats: Vec<(RuntimeId, Health)>,
    last: bool,
) -> Result<(), Refusal> {
    let due = Arc::<OnceLock<Due>>::default();
    let tick = Tick { denials: Arc::clone(denials), due: Arc::clone(&due), heartbeats, last };
    owner.submit(tick).await.inspect_err(|_| {
        if let Some(Due { repeats, at }) = due.get() {
            denials.held().put_back(repeats.clone(), *at);
        }
    })
}

struct Tick {
    denials: Arc<SharedDenials>,
    /// What it takes out of them to write.
    due: Arc<OnceLock<Due>>,
    heartbeats: Vec<(RuntimeId, Health)>,
    last: bool,
}

/// Repeats of refusals that were taken out to be written, and when.
struct Due {
    repeats: Vec<(DenialKey, u64)>,
    at: Timestamp,
}

impl Operation for Tick {
    type Answer = ();

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        for (key, count) in &self.due.get_or_init(|| self.take_due(group)).repeats {
            deny::keep(group, key, "", *count)?;
        }
        for (runtime_id, health) in self.heartbeats {
            group.txn.put_heartbeat(runtime_id, health, group.now.instant)?;
        }
        // Retention is a wish, the cap a promise.
        let upto = if group.is_full(HIGH_PERCENT) {
            group.txn.acknowledged_seq()
        } else {
            group.txn.receipted_by(group.now.instant - retention(group))?
        };
        for _ in 0..PRUNE_STEPS {
            if !group.txn.forget_answers(group.now.mark)? {
                break;
            }
        }
        for _ in 0..PRUNE_STEPS {
            if upto == 0 || group.txn.prune(upto)? == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl Tick {
    /// The repeats to be written now. In a full queue they are summed until there is room, or no
    /// time left.
    fn take_due(&self, group: &Group<'_>) -> Due {
        let at = group.now.instant;
        let mut denials = self.denials.held();
        let mut repeats = denials.take_due(at, self.last);
        if group.is_full(FULL_PERCENT) {
            for (key, count) in std::mem::take(&mut repeats) {
                denials.sum(&key, count, at);
            }
            if self.last {
                repeats = denials.take_due(at, true);
            }
        }
        Due { repeats, at }
    }
}

/// The longest that any license asks for; one that asks for nothing asks for the default.
fn retention(group: &Group<'_>) -> Duration {
    let day = jiff::Timestamp::from(Timestamp::from_ms(0)).to_zoned(jiff::tz::TimeZone::UTC);
    let length = |period: &Period| {
        day.checked_add(period.span())
            .ok()
            .map(|end| Duration::from_millis(end.timestamp().as_millisecond().unsigned_abs()))
    };
    let licenses = group.documents().standing.licenses().iter();
    licenses
        .map(|license| license.audit.retention.as_ref().and_then(length).unwrap_or(RETENTION))
        .max()
        .unwrap_or(RETENTION)
}
