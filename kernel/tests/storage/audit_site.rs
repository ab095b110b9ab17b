//! A site of the tests: its chain grows, is restored from a snapshot, and is sent in batches.

use std::ops::RangeInclusive;

use farhold_audit::{
    ChainPosition, Class, Epoch, Opening, Previous, Withheld, event_hash, next_head,
};
use farhold_bundle::KeyId;
use farhold_contract::{
    Code, Timestamp,
    id::{EventId, RuntimeId, TenantId},
};
use farhold_kernel::storage::{
    AuditEntry, AuditPage, AuditQuery, Batch, BranchId, EventIdentity, HeldBranch, HeldRecord,
    Order, Refused, Storage, Taken, TakenBody, TakenRecord, no_trail,
};

use crate::world::{NOW, digest, runtime_id, uuid};

/// An event before it is linked.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) event_id: EventId,
    pub(crate) tenant_id: TenantId,
    pub(crate) kind: String,
    pub(crate) runtime_id: Option<RuntimeId>,
    pub(crate) recorded_at: Timestamp,
    pub(crate) text: String,
}

impl Event {
    pub(crate) fn of(tenant_id: TenantId) -> Self {
        Self {
            event_id: event_id(),
            tenant_id,
            kind: "course.completed".to_owned(),
            runtime_id: None,
            recorded_at: NOW,
            text: "Ada".to_owned(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { event_id, kind, text, .. } = self;
        format!(r#"{{"event_id":"{event_id}","type":"{kind}","payload":{{"text":"{text}"}}}}"#)
            .into_bytes()
    }
}

/// A site, with every record its agent holds.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) agent: RuntimeId,
    pub(crate) tenant_id: TenantId,
    pub(crate) opening: Opening,
    pub(crate) records: Vec<TakenRecord>,
}

impl Site {
    pub(crate) fn new(tenant_id: TenantId) -> Self {
        let device_key_id = KeyId::of(digest().as_bytes());
        let epoch = Epoch::new(*uuid().as_bytes());
        let opening = Opening { device_key_id, epoch, previous: Previous::NONE };
        Self { agent: runtime_id(), tenant_id, opening, records: Vec::new() }
    }

    /// A site whose chain has this many events of its tenant.
    pub(crate) fn of(tenant_id: TenantId, records: usize) -> Self {
        let mut site = Self::new(tenant_id);
        site.run_on(records);
        site
    }

    /// As it was after record `seq`: what it records from here on is another history.
    pub(crate) fn restored_at(&self, seq: usize) -> Self {
        Self { records: self.records[..seq].to_vec(), ..self.clone() }
    }

    pub(crate) fn run_on(&mut self, records: usize) {
        for _ in 0..records {
            self.record(&Event::of(self.tenant_id));
        }
    }

    /// Links an event that is taken in.
    pub(crate) fn record(&mut self, event: &Event) -> &mut TakenRecord {
        let Event { event_id, kind, runtime_id, .. } = event.clone();
        let salt = *uuid().as_bytes();
        let body = TakenBody::Kept { salt, event: event.bytes() };
        let hash = event_hash(&salt, &event.bytes());
        let class = Class::of(&kind);
        let mut at = self.at();
        let link = at.append(event.recorded_at, event.tenant_id, class, hash);
        let event = Some(EventIdentity { event_id, kind, runtime_id });
        self.records.push(TakenRecord { link, head: at.head, body, event, refused: None });
        self.records.last_mut().unwrap()
    }

    /// Links an event whose content is refused.
    pub(crate) fn record_refused(&mut self, event: &Event, code: Code) {
        let listed_under = self.tenant_id;
        let record = self.record(event);
        record.event = None;
        record.refused =
            Some(Refused { code, detail: "not of this site".to_owned(), listed_under });
    }

    /// Links an event that is not sent.
    pub(crate) fn record_withheld(&mut self, event: &Event, why: Withheld) {
        let record = self.record(event);
        record.event = None;
        record.body = TakenBody::Withheld(why);
    }

    /// Where its chain stands.
    pub(crate) fn at(&self) -> ChainPosition {
        self.after(self.records.len())
    }

    pub(crate) fn after(&self, seq: usize) -> ChainPosition {
        match seq {
            0 => ChainPosition::start(&self.opening),
            _ => ChainPosition { seq: seq as u64, head: self.records[seq - 1].head },
        }
    }

    pub(crate) fn batch(&self, records: RangeInclusive<usize>) -> Batch {
        let (first, last) = records.into_inner();
        Batch {
            agent: self.agent,
            opening: self.opening,
            before: self.after(first - 1),
            receipt: None,
            received_at: NOW,
            records: self.records[first - 1..last].to_vec(),
        }
    }

    /// Sends a run of records.
    pub(crate) async fn send(&self, storage: &Storage, records: RangeInclusive<usize>) -> Taken {
        storage.take_batch(self.batch(records), no_trail).await.unwrap()
    }

    /// Sends everything, in one batch that is all new.
    pub(crate) async fn send_all(&self, storage: &Storage) {
        let taken = self.send(storage, 1..=self.records.len()).await;
        assert_eq!(taken, accepted(self.records.len(), 0, false, self.at()));
    }
}

pub(crate) fn event_id() -> EventId {
    EventId::from_uuid(uuid()).unwrap()
}

pub(crate) fn accepted(new: usize, known: usize, forked: bool, tip: ChainPosition) -> Taken {
    let (new, known) = (new as u64, known as u64);
    Taken::Accepted { new, known, forked, missing: None, tip, refused: Vec::new() }
}

/// Everything of a branch, held to be the one chain that leads from the opening to its tip.
pub(crate) async fn verified(
    storage: &Storage,
    branch: &HeldBranch,
    page: usize,
) -> Vec<HeldRecord> {
    let start = branch.missing.map(|run| run.to);
    let mut position = start.unwrap_or_else(|| ChainPosition::start(&branch.opening));
    let mut records = Vec::new();
    loop {
        let found = storage.chain_records(branch.branch, position.seq, page).await.unwrap();
        for held in &found {
            assert_eq!(held.link.seq, position.seq + 1);
            let head = next_head(&position.head, &held.link);
            assert_eq!(head, held.head, "record {}", held.link.seq);
            position = ChainPosition { seq: held.link.seq, head };
        }
        let is_last = found.len() < page;
        records.extend(found);
        if is_last {
            break;
        }
    }
    assert_eq!(position, branch.tip);
    records
}

/// How many records are held of a device's epoch: each branch's own.
pub(crate) fn held(branches: &[HeldBranch]) -> u64 {
    branches.iter().map(|branch| branch.tip.seq + 1 - branch.first_seq).sum()
}

/// Numbers of branches and of those they go away from.
pub(crate) fn forks(branches: &[HeldBranch]) -> Vec<(BranchId, Option<BranchId>, u64, u64)> {
    branches
        .iter()
        .map(|held| (held.branch, held.forked_from, held.first_seq, held.tip.seq))
        .collect()
}

pub(crate) fn every(tenant_id: TenantId) -> AuditQuery {
    AuditQuery {
        tenant_id,
        from: None,
        to: None,
        kind_prefix: None,
        event_id: None,
        runtime_id: None,
        agent: None,
        text: None,
        order: Order::Oldest,
        after: None,
        limit: 100_000,
    }
}

/// All pages of a query, one after another; none but the last may be without a next.
pub(crate) async fn pages(storage: &Storage, mut query: AuditQuery) -> Vec<AuditPage> {
    let mut pages = Vec::new();
    loop {
        let page = storage.audit_events(query.clone()).await.unwrap();
        query.after = page.next;
        pages.push(page);
        if query.after.is_none() {
            return pages;
        }
        assert!(pages.len() < 10_000, "the listing never ends");
    }
}

/// Every event a query finds.
pub(crate) async fn found(storage: &Storage, query: AuditQuery) -> Vec<AuditEntry> {
    pages(storage, query).await.into_iter().flat_map(|page| page.events).collect()
}
