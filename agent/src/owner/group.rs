//! A group: one transaction that many callers share, and what it stages beside the store.

use std::sync::Arc;

use farhold_audit::Epoch;
use farhold_contract::id::{EventId, TenantId};
use farhold_policy::{ClockReading, ClockState, Now};
use farhold_store::{Appended, Body, StoreError, Txn};

use crate::{
    kernel_word::{self, KernelWord},
    own_event::{self, Draft},
    random,
    shares::{Shares, Taking},
    snapshot::{Documents, Registry, Snapshot},
};

mod clock_told;
mod commit;
mod facts;

pub(super) use clock_told::told;
pub(super) use commit::{Commons, run};

/// One group at work.
pub struct Group<'g> {
    /// The transaction.
    pub txn: Txn<'g>,
    /// The time, read once for the whole group.
    pub now: Now,
    /// The reading it came from.
    pub reading: ClockReading,
    staged: Staged,
    clock_changed: bool,
    epoch: Epoch,
    full_at_bytes: u64,
    shares: Arc<Shares>,
    tenants: usize,
}

/// What becomes real for everybody else once the group is kept.
struct Staged {
    /// The site as it will be.
    site: Snapshot,
    /// Whether the second copy of the documents is to be written.
    documents_copy: bool,
    /// Whether that of what is known of the machine is.
    machine_copy: bool,
    accepted: u64,
    delivered: u64,
    size_bytes: u64,
    taken: Vec<Taking>,
}

impl Group<'_> {
    /// Links a body into the chain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn append(&mut self, body: &Body) -> Result<Appended, StoreError> {
        let appended = self.txn.append(body, self.now.instant)?;
        if let Appended::Record(_) = appended {
            self.staged.accepted += 1;
            self.staged.size_bytes += size_on_disk(body);
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

    /// The clock, as it will be, to change.
    pub const fn clock_mut(&mut self) -> &mut ClockState {
        &mut self.staged.site.clock
    }

    /// The tokens and runtimes, as they will be.
    pub fn registry(&self) -> &Registry {
        &self.staged.site.registry
    }

    /// The same, to change.
    pub fn registry_mut(&mut self) -> &mut Registry {
        Arc::make_mut(&mut self.staged.site.registry)
    }

    /// The documents, as they will be.
    pub const fn documents(&self) -> &Arc<Documents> {
        &self.staged.site.documents
    }

    /// Replaces the documents; the second copy follows the commit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_documents(&mut self, documents: Arc<Documents>) -> Result<(), StoreError> {
        self.txn.put_documents(&documents.standing)?;
        self.staged.site.documents = documents;
        self.staged.documents_copy = true;
        self.now = self.staged.site.now(&self.reading);
        Ok(())
    }

    /// What the Kernel has taken away, as it will be.
    pub fn word(&self) -> &KernelWord {
        &self.staged.site.word
    }

    /// Replaces what the Kernel has taken away.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_word(&mut self, word: KernelWord) -> Result<(), StoreError> {
        self.txn.put_own(kernel_word::KEPT_AS, &word)?;
        self.staged.site.word = Arc::new(word);
        Ok(())
    }

    /// The clock is to be kept with this group, however lately it was kept.
    pub const fn keep_clock(&mut self) {
        self.clock_changed = true;
    }

    /// Counts records that receipts of this group cover for the first time.
    pub const fn count_delivered(&mut self, records: u64) {
        self.staged.delivered += records;
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
        self.shares.has_room(asked, &self.staged.taken, self.tenants)
    }

    /// Counts what a caller takes, once the group is kept.
    pub fn take_share(&mut self, taking: Taking) {
        let taken = &mut self.staged.taken;
        match taken.iter_mut().find(|other| other.runtime_id == taking.runtime_id) {
            Some(known) => known.bytes += taking.bytes,
            None => taken.push(taking),
        }
    }

    fn would_pass(&self, percent: u64, more_bytes: u64) -> bool {
        self.staged.size_bytes + more_bytes >= self.full_at_bytes / 100 * percent
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
