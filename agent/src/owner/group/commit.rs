//! A group's life: begun for its works, committed, and published.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;

use farhold_contract::Timestamp;
use farhold_policy::{ClockChange, ClockReading, Counter};
use farhold_store::{StoreError, write_second_copy};

use crate::{
    cap::FULL_PERCENT,
    clock::Clock,
    machine::Kept,
    metrics::Metrics,
    owner::{News, work::Work},
    shares::Shares,
    site::Site,
    snapshot::Snapshot,
};

use super::{Group, Staged, told};

/// The clock is kept with the first commit of each second: it may fall behind by that at a crash,
/// and a page less is written by every other commit.
const MARK_KEPT_EVERY: Duration = Duration::from_secs(1);

/// What the owner shares with the rest of the process.
pub(in crate::owner) struct Commons {
    pub(in crate::owner) clock: Arc<dyn Clock>,
    pub(in crate::owner) metrics: Arc<Metrics>,
    pub(in crate::owner) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(in crate::owner) news: Arc<News>,
}

/// What a kept group leaves.
struct Committed {
    staged: Staged,
    counters: Vec<(String, Counter)>,
    mark_kept: Option<Timestamp>,
    sync: Duration,
}

/// Does every work inside one transaction and, once it is durable, makes it real; says how long
/// the commit took.
pub(in crate::owner) fn run(
    site: &mut Site,
    commons: &Commons,
    reading: &ClockReading,
    works: &mut [Box<dyn Work>],
) -> Result<Duration, StoreError> {
    let before = commons.snapshot.load_full();
    let Committed { staged, counters, mark_kept, sync } = commit(site, &before, reading, works)?;

    // Durable from here on: now it becomes real for everybody else.
    site.has_size(staged.size_bytes);
    site.mark_kept = mark_kept;
    site.machine_news = None;
    if !staged.taken.is_empty() {
        Arc::make_mut(&mut site.shares).take(&staged.taken);
    }
    commons.metrics.events_accepted.inc_by(staged.accepted);
    commons.metrics.events_delivered.inc_by(staged.delivered);
    write_copies(site, &staged);
    let Staged { site: mut after, accepted, .. } = staged;
    for (key, counter) in counters {
        if !after.usage.publish(&key, counter) {
            Arc::make_mut(&mut after.usage).add(&key, counter);
        }
    }
    after.chain = *site.store.chain();
    after.acknowledged_seq = site.store.acknowledged_seq();
    let registered = !Arc::ptr_eq(&before.registry, &after.registry);
    commons.snapshot.store(Arc::new(after));
    if accepted > 0 {
        commons.news.appended.send_replace(site.store.chain().seq);
    }
    if registered {
        commons.news.registered.send_replace(());
    }
    Ok(sync)
}

fn commit(
    site: &mut Site,
    before: &Snapshot,
    reading: &ClockReading,
    works: &mut [Box<dyn Work>],
) -> Result<Committed, StoreError> {
    let size_bytes = site.size_bytes()?;
    let free = (site.place.cap_bytes / 100 * FULL_PERCENT).saturating_sub(size_bytes);
    if site.shares.are_outdated(before.acknowledged_seq) {
        // What was taken is on its way out: everybody begins anew.
        site.shares = Arc::new(Shares::since(before.acknowledged_seq, free));
    } else {
        Arc::make_mut(&mut site.shares).has_free(free);
    }
    let reserve = &site.place.reserve;
    let scarce = reserve.is_needed();
    if scarce && works.iter().any(|work| work.draws_on_reserve()) {
        reserve.give_up();
    }
    let mut after = before.clone();
    let change = after.clock.observe(reading, None);
    let epoch = site.store.opening().epoch;
    let mut group = Group {
        txn: site.store.begin()?,
        now: after.now(reading),
        reading: *reading,
        staged: Staged {
            site: after,
            documents_copy: false,
            machine_copy: false,
            accepted: 0,
            delivered: 0,
            size_bytes,
            taken: Vec::new(),
        },
        clock_changed: change != ClockChange::Nothing,
        epoch,
        // What is left of a reserve given up is not for events.
        full_at_bytes: if scarce && !reserve.stands() { 0 } else { site.place.cap_bytes },
        shares: Arc::clone(&site.shares),
        tenants: site.place.facts.tenants.len(),
    };
    if let (Some(draft), Some(tenant_id)) = (told(change), site.place.own_tenant()) {
        group.append_own(tenant_id, draft)?;
    }
    if let Some(changed) = &site.machine_news {
        group.keep_machine(changed, site.place.own_tenant())?;
    }
    for work in works {
        work.apply(&mut group)?;
    }
    let mark_kept = group.stage_clock(site.mark_kept)?;
    let Group { txn, staged, .. } = group;
    let counters = txn.staged_counters().map(|(key, counter)| (key.to_owned(), counter)).collect();
    let began = Instant::now();
    txn.commit()?;
    Ok(Committed { staged, counters, mark_kept, sync: began.elapsed() })
}

/// A copy that can't be written takes no rights away: the database serves, and the next one tries
/// again.
fn write_copies(site: &Site, staged: &Staged) {
    let (after, state_dir) = (&staged.site, &site.place.state_dir);
    if staged.documents_copy
        && let Err(error) = write_second_copy(state_dir, &after.documents.standing.to_bundle())
    {
        tracing::error!(error = %crate::error_chain(&error), "the second copy of the documents could not be written");
    }
    if staged.machine_copy {
        let copy = Kept {
            machine: Some(after.machine.memory.clone()),
            released: after.facts.released.clone(),
        };
        if let Err(error) = copy.write_copy(state_dir) {
            tracing::error!(%error, "the second copy of what is known of the machine could not be written");
        }
    }
}

impl Group<'_> {
    /// Keeps the clock, unless that was lately; says which mark is then kept.
    fn stage_clock(
        &mut self,
        mark_kept: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let clock = &self.staged.site.clock;
        let mark = clock.mark();
        match mark_kept {
            // What an event tells is kept with it, or a crash would have it told twice.
            Some(kept)
                if !self.clock_changed
                    && mark >= kept
                    && mark.saturating_since(kept) < MARK_KEPT_EVERY =>
            {
                Ok(Some(kept))
            }
            _ => {
                self.txn.put_own("clock", clock)?;
                Ok(Some(mark))
            }
        }
    }
}
