//! A group: one transaction that many callers share, and what it stages beside the store.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use serde_json::json;

use farhold_audit::{Epoch, OwnKind};
use farhold_contract::{
    Timestamp,
    id::{EventId, TenantId},
};
use farhold_policy::{ClockChange, ClockReading, ClockState, Counter, Now};
use farhold_store::{Appended, Body, StoreError, Txn, write_second_copy};

use crate::{
    cap::FULL_PERCENT,
    clock::Clock,
    kernel_word::{self, KernelWord},
    metrics::Metrics,
    own_event::{self, Draft},
    random,
    shares::{Shares, Taking},
    site::Site,
    snapshot::{Documents, Registry, Snapshot},
};

use super::{News, work::Work};

/// The clock is kept with the first commit of each second: it may fall behind by that at a crash,
/// and a page less is written by every other commit.
const MARK_KEPT_EVERY: Duration = Duration::from_secs(1);

/// What the owner shares with the rest of the process.
pub(super) struct Commons {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(super) news: Arc<News>,
}

/// One group at work.
pub struct Group<'g> {
    /// The transaction.
    pub txn: Txn<'g>,
    /// The time, read once for the whole group.
    pub now: Now,
    /// The reading it came from.
    pub reading: ClockReading,
    /// The clock as it will be.
    pub clock: ClockState,
    /// The documents, as they will be.
    pub documents: Arc<Documents>,
    /// Records that receipts of this group cover for the first time.
    pub delivered: u64,
    word: Arc<KernelWord>,
    clock_changed: bool,
    registry: Arc<Registry>,
    epoch: Epoch,
    second_copy: bool,
    full_at_bytes: u64,
    size_bytes: u64,
    accepted: u64,
    shares: Arc<Shares>,
    taken: Vec<Taking>,
    tenants: usize,
}

/// What a kept group leaves for everybody else.
struct Kept {
    documents: Arc<Documents>,
    word: Arc<KernelWord>,
    registry: Arc<Registry>,
    clock: ClockState,
    counters: Vec<(String, Counter)>,
    second_copy: bool,
    accepted: u64,
    delivered: u64,
    size_bytes: u64,
    mark_kept: Option<Timestamp>,
    taken: Vec<Taking>,
    sync: Duration,
}

/// Does every work inside one transaction and, once it is durable, makes it real; says how long
/// the commit took.
pub(super) fn run(
    site: &mut Site,
    commons: &Commons,
    reading: &ClockReading,
    works: &mut [Box<dyn Work>],
) -> Result<Duration, StoreError> {
    let before = commons.snapshot.load_full();
    let kept = keep(site, &before, reading, works)?;

    site.has_size(kept.size_bytes);
    site.mark_kept = kept.mark_kept;
    if !kept.taken.is_empty() {
        Arc::make_mut(&mut site.shares).take(&kept.taken);
    }
    // Durable from here on: now it becomes real for everybody else.
    commons.metrics.events_accepted.inc_by(kept.accepted);
    commons.metrics.events_delivered.inc_by(kept.delivered);
    let mut usage = Arc::clone(&before.usage);
    for (key, counter) in kept.counters {
        if !usage.publish(&key, counter) {
            Arc::make_mut(&mut usage).add(&key, counter);
        }
    }
    if kept.second_copy
        && let Err(error) =
            write_second_copy(&site.place.state_dir, &kept.documents.standing.to_bundle())
    {
        tracing::error!(error = %crate::error_chain(&error), "the second copy of the documents could not be written");
    }
    let registered = !Arc::ptr_eq(&before.registry, &kept.registry);
    commons.snapshot.store(Arc::new(Snapshot {
        documents: kept.documents,
        word: kept.word,
        registry: kept.registry,
        usage,
        clock: kept.clock,
        chain: *site.store.chain(),
        acknowledged_seq: site.store.acknowledged_seq(),
    }));
    if kept.accepted > 0 {
        commons.news.appended.send_replace(site.store.chain().seq);
    }
    if registered {
        commons.news.registered.send_replace(());
    }
    Ok(kept.sync)
}

fn keep(
    site: &mut Site,
    before: &Snapshot,
    reading: &ClockReading,
    works: &mut [Box<dyn Work>],
) -> Result<Kept, StoreError> {
    let size_bytes = site.size_bytes()?;
    let (epoch, mark_kept) = (site.store.opening().epoch, site.mark_kept);
    let free = (site.place.cap_bytes / 100 * FULL_PERCENT).saturating_sub(size_bytes);
    if site.shares.are_outdated(before.acknowledged_seq) {
        // What was taken is on its way out: everybody begins anew.
        site.shares = Arc::new(Shares::since(before.acknowledged_seq, free));
    } else {
        Arc::make_mut(&mut site.shares).has_free(free);
    }
    let shares = Arc::clone(&site.shares);
    let tenants = site.place.facts.tenants.len();
    let mut clock = before.clock.clone();
    let change = clock.observe(reading, None);
    let mut group = Group {
        txn: site.store.begin()?,
        now: clock.now(reading, before.documents.floor),
        reading: *reading,
        clock,
        documents: Arc::clone(&before.documents),
        registry: Arc::clone(&before.registry),
        delivered: 0,
        word: Arc::clone(&before.word),
        clock_changed: change != ClockChange::Nothing,
        epoch,
        second_copy: false,
        full_at_bytes: site.place.cap_bytes,
        size_bytes,
        accepted: 0,
        shares,
        taken: Vec::new(),
        tenants,
    };
    if let (Some(draft), Some(tenant_id)) = (told(change), site.place.own_tenant()) {
        group.append_own(tenant_id, draft)?;
    }
    for work in works {
        work.apply(&mut group)?;
    }
    let mark = group.clock.mark();
    let mark_kept = match mark_kept {
        // What an event tells is kept with it, or a crash would have it told twice.
        Some(kept)
            if !group.clock_changed
                && mark >= kept
                && mark.saturating_since(kept) < MARK_KEPT_EVERY =>
        {
            Some(kept)
        }
        _ => {
            group.txn.put_own("clock", &group.clock)?;
            Some(mark)
        }
    };
    let counters =
        group.txn.staged_counters().map(|(key, counter)| (key.to_owned(), counter)).collect();
    let Group {
        txn,
        clock,
        documents,
        word,
        taken,
        registry,
        second_copy,
        accepted,
        delivered,
        size_bytes,
        ..
    } = group;
    let began = Instant::now();
    txn.commit()?;
    let sync = began.elapsed();
    Ok(Kept {
        documents,
        word,
        registry,
        clock,
        counters,
        second_copy,
        accepted,
        delivered,
        size_bytes,
        mark_kept,
        taken,
        sync,
    })
}

/// What is to be kept of a clock that was set, or fell behind (`bundle.md` §5).
pub(super) fn told(change: ClockChange) -> Option<Draft> {
    match change {
        ClockChange::RolledBack { behind } => {
            Some(Draft::new(OwnKind::ClockRollback, json!({"behind_seconds": behind.as_secs()})))
        }
        ClockChange::Stepped { by_ms } => {
            Some(Draft::new(OwnKind::ClockStep, json!({"by_ms": by_ms})))
        }
        ClockChange::LeadSeen { lead } | ClockChange::LeadAdopted { lead } => {
            Some(Draft::new(OwnKind::ClockStep, json!({"by_ms": lead.as_millis() as u64})))
        }
        ClockChange::Nothing | ClockChange::Lowered { .. } => None,
    }
}

impl Group<'_> {
    /// Links a body into the chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn append(&mut self, body: &Body) -> Result<Appended, StoreError> {
        let appended = self.txn.append(body, self.now.instant)?;
        if let Appended::Record(_) = appended {
            self.accepted += 1;
            self.size_bytes += size_on_disk(body);
        }
        Ok(appended)
    }

    /// Links an event of the agent's own into the chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn append_own(&mut self, tenant_id: TenantId, event: Draft) -> Result<(), StoreError> {
        let Ok(event_id) = EventId::from_uuid(random::id_v7(self.now.instant)) else {
            return Ok(());
        };
        let body = own_event::body(event_id, tenant_id, self.now.instant, event);
        self.append(&body).map(drop)
    }

    /// The chain's epoch.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The tokens and runtimes, as they will be.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The same, to change.
    pub fn registry_mut(&mut self) -> &mut Registry {
        Arc::make_mut(&mut self.registry)
    }

    /// Replaces the documents; the second copy follows the commit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_documents(&mut self, documents: Arc<Documents>) -> Result<(), StoreError> {
        self.txn.put_documents(&documents.standing)?;
        self.now = self.clock.now(&self.reading, documents.floor);
        self.documents = documents;
        self.second_copy = true;
        Ok(())
    }

    /// What the Kernel has taken away, as it will be.
    pub fn word(&self) -> &KernelWord {
        &self.word
    }

    /// Replaces what the Kernel has taken away.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_word(&mut self, word: KernelWord) -> Result<(), StoreError> {
        self.txn.put_own(kernel_word::KEPT_AS, &word)?;
        self.word = Arc::new(word);
        Ok(())
    }

    /// The clock is to be kept with this group, however lately it was kept.
    pub const fn keep_clock(&mut self) {
        self.clock_changed = true;
    }

    /// Whether the queue has reached this share of its cap, in percent.
    pub fn is_full(&self, percent: u64) -> bool {
        self.would_pass(percent, 0)
    }

    /// Whether the queue would pass this share of its cap, in percent, with one more body.
    pub fn has_no_room(&self, percent: u64, body: &Body) -> bool {
        self.would_pass(percent, size_on_disk(body))
    }

    /// Whether a caller stays within its share of the queue's free part.
    pub fn has_share(&self, asked: &Taking) -> bool {
        self.shares.has_room(asked, &self.taken, self.tenants)
    }

    /// Counts what a caller takes, once the group is kept.
    pub fn take_share(&mut self, taking: Taking) {
        match self.taken.iter_mut().find(|other| other.runtime_id == taking.runtime_id) {
            Some(known) => known.bytes += taking.bytes,
            None => self.taken.push(taking),
        }
    }

    fn would_pass(&self, percent: u64, more_bytes: u64) -> bool {
        self.size_bytes + more_bytes >= self.full_at_bytes / 100 * percent
    }
}

/// What a body takes, with its row, its entry in the index, and its share of half-filled pages.
pub(super) fn size_on_disk(body: &Body) -> u64 {
    const ROW_BYTES: u64 = 192;
    const PAGE_BYTES: u64 = 4096;
    let event_bytes = body.event.len() as u64;
    // SQLite moves what does not fit a page into pages of its own.
    let spill = if event_bytes > PAGE_BYTES / 4 { PAGE_BYTES } else { 0 };
    event_bytes + ROW_BYTES + spill
}
