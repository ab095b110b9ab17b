//! The Kernel's own chain: one, whole, and each event in it once.

use farhold_audit::{ChainPosition, Class, Epoch, Previous, event_hash};
use farhold_bundle::KeyId;
use farhold_contract::{Code, id::TenantId};
use farhold_kernel::storage::{
    Appended, Limits, OwnChain, OwnRecord, Storage, StorageError, Taken, TakenBody, Trail, no_trail,
};

use crate::{
    audit_site::{Event, Site, every, found, verified},
    world::{NOW, World, own_chain, tenant, tenant_id, told, uuid},
};

fn record(event: &Event) -> OwnRecord {
    let (salt, bytes) = (*uuid().as_bytes(), event.bytes());
    OwnRecord {
        recorded_at: event.recorded_at,
        tenant_id: event.tenant_id,
        runtime_id: event.runtime_id,
        class: Class::of(&event.kind),
        event_id: event.event_id,
        kind: event.kind.clone(),
        salt,
        event_hash: event_hash(&salt, &bytes),
        event: bytes,
    }
}

fn events(tenant_id: TenantId, count: usize) -> Vec<Event> {
    (0..count).map(|_| Event::of(tenant_id)).collect()
}

#[tokio::test]
async fn what_is_appended_makes_one_chain_that_verifies_also_after_a_restart() {
    let world = World::new();
    let tenants = [tenant_id(), tenant_id()];
    let start = world.storage.own_chain().await.unwrap().1;
    assert_eq!(start.seq, 0);
    let mut told: Vec<Event> = Vec::new();
    for round in 0..5 {
        let batch = events(tenants[round % 2], 1 + round * 3);
        let appended = world.storage.append_own(batch.iter().map(record).collect()).await.unwrap();
        let seqs = told.len() as u64 + 1..=(told.len() + batch.len()) as u64;
        assert_eq!(appended, seqs.map(Appended::Record).collect::<Vec<_>>());
        told.extend(batch);
    }
    let (opening, tip) = world.storage.own_chain().await.unwrap();
    let world = world.reopened();
    assert_eq!(world.storage.own_chain().await.unwrap(), (opening, tip));
    let more = events(tenants[0], 1);
    let appended = world.storage.append_own(vec![record(&more[0])]).await.unwrap();
    assert_eq!(appended, [Appended::Record(36)]);
    told.extend(more);

    let heads = world.storage.heads(own_chain().key_id).await.unwrap();
    assert_eq!((heads.len(), heads[0].agent, heads[0].opening), (1, None, opening));
    let held = verified(&world.storage, &heads[0], 10).await;
    assert_eq!(held.len(), 36);
    for (held, told) in held.iter().zip(&told) {
        let TakenBody::Kept { event, .. } = &held.body else { panic!("{held:?}") };
        assert_eq!((event, held.link.tenant_id), (&told.bytes(), told.tenant_id));
    }
    let seen = found(&world.storage, every(tenants[1])).await;
    assert!(seen.iter().all(|entry| entry.agent.is_none() && entry.epoch == own_chain().epoch));
    assert_eq!(seen.len(), 4 + 10);
}

#[tokio::test]
async fn an_event_is_kept_once_whichever_way_it_comes() {
    let world = World::new();
    let storage = &world.storage;
    let mut site = Site::new(tenant_id());
    let [through_the_site, at_the_kernel, to_both] = &events(site.tenant_id, 3)[..] else {
        panic!("three")
    };
    site.record(through_the_site);
    site.send_all(storage).await;
    let append = |event: &Event| storage.append_own(vec![record(event)]);
    assert_eq!(append(at_the_kernel).await.unwrap(), [Appended::Record(1)]);
    assert_eq!(append(at_the_kernel).await.unwrap(), [Appended::Duplicate]);
    assert_eq!(append(through_the_site).await.unwrap(), [Appended::Duplicate]);
    let other = Event { text: "other".to_owned(), ..at_the_kernel.clone() };
    assert_eq!(append(&other).await.unwrap(), [Appended::Conflict]);
    let of_another = Event { tenant_id: tenant_id(), ..other };
    assert_eq!(append(&of_another).await.unwrap(), [Appended::Record(2)]);

    // Twice in one call, and then out of a chain.
    let twice = vec![record(to_both), record(to_both)];
    let appended = storage.append_own(twice).await.unwrap();
    assert_eq!(appended, [Appended::Record(3), Appended::Duplicate]);
    site.record(to_both);
    site.record(&Event { text: "other".to_owned(), ..to_both.clone() });
    let Taken::Accepted { new: 2, refused, .. } = site.send(storage, 2..=3).await else {
        panic!("not taken")
    };
    assert_eq!((refused.len(), refused[0].0, refused[0].1.code), (1, 3, Code::EventConflict));
    assert_eq!(found(storage, every(site.tenant_id)).await.len(), 3);
    assert_eq!(storage.own_chain().await.unwrap().1.seq, 3);
}

#[tokio::test]
async fn a_trail_is_linked_with_its_operation_or_not_at_all() {
    let world = World::new();
    let storage = &world.storage;
    let known = tenant();
    storage.create_tenant(known.clone(), told(known.tenant_id)).await.unwrap();
    let before = storage.own_chain().await.unwrap();
    assert_eq!(before.1.seq, 1);
    let refused = storage.create_tenant(known.clone(), told(known.tenant_id)).await;
    assert!(matches!(refused, Err(StorageError::Exists { .. })), "{refused:?}");
    let failed: Result<(), _> = storage
        .decide(move |ledger| {
            ledger.append(record(&Event::of(known.tenant_id)))?;
            Err(StorageError::Unknown { what: "feature" })
        })
        .await;
    assert!(matches!(failed, Err(StorageError::Unknown { what: "feature" })));
    assert_eq!(storage.own_chain().await.unwrap(), before);

    // What a batch leaves behind is on the Kernel's chain, not on the site's.
    let site = Site::of(tenant_id(), 2);
    let seen = Event::of(site.tenant_id);
    let trail = {
        let seen = record(&seen);
        move |_: &Taken| Trail::events(vec![seen])
    };
    storage.take_batch(site.batch(1..=2), trail).await.unwrap();
    let heads = storage.heads(own_chain().key_id).await.unwrap();
    assert_eq!(verified(storage, &heads[0], 10).await.len(), 2);
    assert_eq!(found(storage, every(site.tenant_id)).await.len(), 3);
}

#[tokio::test]
async fn a_kernel_with_another_receipt_key_begins_a_chain_and_finds_its_own_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kernel.db");
    let keys = [KeyId::of(&[1; 32]), KeyId::of(&[2; 32])];
    let open = |key: usize, epoch: u8| {
        let own = OwnChain { key_id: keys[key], epoch: Epoch::new([epoch; 16]), now: NOW };
        Storage::open(&path, own, Limits::default()).unwrap()
    };
    let of = tenant_id();
    let append = async |storage: &Storage| {
        storage.append_own(vec![record(&Event::of(of))]).await.unwrap();
        storage.own_chain().await.unwrap()
    };
    let (opening, _) = append(&open(0, 1)).await;
    assert_eq!((opening.device_key_id, opening.previous), (keys[0], Previous::NONE));
    let (other, tip) = append(&open(1, 2)).await;
    assert_eq!((other.device_key_id, other.epoch, tip.seq), (keys[1], Epoch::new([2; 16]), 1));
    let storage = open(0, 3);
    assert_eq!(append(&storage).await.1.seq, 2, "the epoch it had goes on");
    let of_first = storage.heads(keys[0]).await.unwrap();
    assert_eq!(verified(&storage, &of_first[0], 10).await.len(), 2);
    assert_eq!(of_first[0].opening, opening);
    let start = ChainPosition::start(&other);
    assert!(storage.held(keys[1], other.epoch, start).await.unwrap());
    assert_eq!(found(&storage, every(of)).await.len(), 3);
    storage.create_tenant(tenant(), no_trail).await.unwrap();
}
