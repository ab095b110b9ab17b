//! The tick: what happens without anybody asking.

use std::{sync::Arc, time::Duration};

use farhold_bundle::Period;
use farhold_contract::{Timestamp, call::heartbeat::Health, id::RuntimeId};
use farhold_store::StoreError;

use crate::{
    cap::HIGH_PERCENT,
    denials::{DenialKey, Denials},
};

use super::{deny::Deny, group::Group, work::Operation};

/// How long a record stays after its receipt, where no license says otherwise.
const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Most steps of a thousand records in one tick: callers wait behind it.
const PRUNE_STEPS: usize = 10;

/// Keeps repeats of refusals and heartbeats; prunes what was receipted long ago. Its group writes
/// the clock's mark.
pub struct Tick {
    /// Refusals of the last minute.
    pub denials: Arc<Denials>,
    /// Heartbeats since the last tick.
    pub heartbeats: Vec<(RuntimeId, Health)>,
    /// Whether this is the last tick of the process.
    pub last: bool,
}

impl Operation for Tick {
    type Answer = ();

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        for (key, count) in self.denials.take_due(group.now.instant, self.last) {
            keep_repeats(group, key, count)?;
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

fn keep_repeats(group: &mut Group<'_>, key: DenialKey, count: u64) -> Result<(), StoreError> {
    Deny { key, correlation_id: String::new(), count }.apply(group)
}

/// The longest that any license asks for; one that asks for nothing asks for the default.
fn retention(group: &Group<'_>) -> Duration {
    let day = jiff::Timestamp::from(Timestamp::from_ms(0)).to_zoned(jiff::tz::TimeZone::UTC);
    let length = |period: &Period| {
        day.checked_add(period.span())
            .ok()
            .map(|end| Duration::from_millis(end.timestamp().as_millisecond().unsigned_abs()))
    };
    let licenses = group.documents.standing.licenses().iter();
    licenses
        .map(|license| license.audit.retention.as_ref().and_then(length).unwrap_or(RETENTION))
        .max()
        .unwrap_or(RETENTION)
}
