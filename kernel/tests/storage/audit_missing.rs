//! Chains that go on after records which were confirmed and are not held (bundle.md §6.7).

use std::ops::RangeInclusive;

use farhold_kernel::storage::{MissingRun, Storage, Taken, no_trail};

use crate::{
    audit_site::{Site, accepted, every, found, verified},
    world::{World, tenant_id},
};

/// Sends a run of records with a receipt for what comes before it, which is the intake's to prove.
async fn presents(site: &Site, storage: &Storage, records: RangeInclusive<usize>) -> Taken {
    let mut batch = site.batch(records);
    batch.receipt = Some(b"a receipt".to_vec());
    storage.take_batch(batch, no_trail).await.unwrap()
}

/// What such a batch comes to that is all new, where these records are missing before it.
fn after_missing(site: &Site, from: u64, records: RangeInclusive<usize>) -> Taken {
    let (first, last) = records.into_inner();
    let missing = Some(MissingRun { from, to: site.after(first - 1) });
    match accepted(last + 1 - first, 0, false, site.after(last)) {
        Taken::Accepted { new, known, forked, tip, refused, .. } => {
            Taken::Accepted { new, known, forked, missing, tip, refused }
        }
        gap @ Taken::Gap { .. } => gap,
    }
}

#[tokio::test]
async fn a_chain_goes_on_after_records_that_were_confirmed_and_says_which_are_missing() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 30);
    site.send(storage, 1..=10).await;
    assert!(matches!(site.send(storage, 21..=25).await, Taken::Gap { .. }), "without a receipt");

    let taken = presents(&site, storage, 21..=25).await;
    assert_eq!(taken, after_missing(&site, 11, 21..=25));
    assert_eq!(
        presents(&site, storage, 21..=25).await,
        accepted(0, 5, false, site.after(25)),
        "the answer was lost: sent again it is known, and nothing is missing anew"
    );
    assert_eq!(site.send(storage, 21..=25).await, accepted(0, 5, false, site.after(25)));
    assert_eq!(site.send(storage, 26..=30).await, accepted(5, 0, false, site.at()));

    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    let [before, after] = heads[..] else { panic!("two branches: {heads:?}") };
    assert_eq!((before.tip, before.missing), (site.after(10), None));
    let missing = MissingRun { from: 11, to: site.after(20) };
    assert_eq!((after.tip, after.missing), (site.at(), Some(missing)));
    assert_eq!((after.first_seq, after.forked_from), (21, None));
    assert_eq!(storage.receipt_before(after.branch).await.unwrap().unwrap(), b"a receipt");
    assert!(storage.receipt_before(before.branch).await.unwrap().is_none());
    assert_eq!(verified(storage, &after, 3).await.len(), 10);
    assert_eq!(found(storage, every(site.tenant_id)).await.len(), 20);
    let held = |seq| storage.held(site.opening.device_key_id, site.opening.epoch, site.after(seq));
    assert!(held(20).await.unwrap() && !held(19).await.unwrap());
}

#[tokio::test]
async fn a_receipt_for_what_is_held_changes_nothing() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 30);
    assert_eq!(presents(&site, storage, 1..=10).await, accepted(10, 0, false, site.after(10)));
    assert_eq!(presents(&site, storage, 11..=20).await, accepted(10, 0, false, site.after(20)));
    let mut restored = site.restored_at(15);
    restored.run_on(3);
    assert_eq!(presents(&restored, storage, 16..=18).await, accepted(3, 0, true, restored.at()));
    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    assert!(heads.iter().all(|branch| branch.missing.is_none()), "{heads:?}");
}

#[tokio::test]
async fn an_epoch_whose_beginning_is_missing_may_get_it_later_without_a_fork() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 30);
    assert_eq!(presents(&site, storage, 11..=20).await, after_missing(&site, 1, 11..=20));
    assert_eq!(site.send(storage, 1..=5).await, accepted(5, 0, false, site.after(5)));
    assert_eq!(site.send(storage, 6..=10).await, accepted(5, 0, false, site.after(10)));
    assert_eq!(site.send(storage, 21..=30).await, accepted(10, 0, false, site.at()));
    for branch in storage.heads(site.opening.device_key_id).await.unwrap() {
        verified(storage, &branch, 4).await;
    }
    assert_eq!(found(storage, every(site.tenant_id)).await.len(), 30, "each event once");
    // Once the beginning is there, another one is a fork.
    let mut other = site.restored_at(0);
    other.run_on(2);
    assert_eq!(other.send(storage, 1..=2).await, accepted(2, 0, true, other.at()));
}

#[tokio::test]
async fn a_site_restored_to_the_last_missing_record_forks_there() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 30);
    presents(&site, storage, 21..=30).await;
    let mut restored = site.restored_at(20);
    restored.run_on(4);
    assert_eq!(restored.send(storage, 21..=24).await, accepted(4, 0, true, restored.at()));
    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    let [after, fork] = heads[..] else { panic!("two branches: {heads:?}") };
    assert_eq!((fork.forked_from, fork.missing), (Some(after.branch), None));
    assert_eq!(storage.chain_records(fork.branch, 20, 10).await.unwrap().len(), 4);
}

#[tokio::test]
async fn set_back_twice_a_chain_is_missing_two_runs() {
    let world = World::new();
    let storage = &world.storage;
    let site = Site::of(tenant_id(), 50);
    site.send(storage, 1..=10).await;
    assert_eq!(presents(&site, storage, 21..=30).await, after_missing(&site, 11, 21..=30));
    assert_eq!(presents(&site, storage, 41..=50).await, after_missing(&site, 31, 41..=50));
}
