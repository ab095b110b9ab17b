//! Batches in a group with others: what one fails at, no other sees; what is numbered in what is
//! taken back is numbered anew.

use std::pin::pin;

use serde_json::json;

use farhold_contract::{AlertCode, id::TenantId};
use farhold_kernel::storage::{
    AlertFilter, NewAlert, Storage, StorageError, Taken, Trail, no_trail,
};

use crate::{
    audit_site::{Event, Site, accepted, every, found, held, verified},
    registry_group::{hold, look},
    world::{NOW, World, tenant_id},
};

/// The types of a tenant's events, as they are filtered by.
async fn of_kind(storage: &Storage, tenant_id: TenantId, kind: &str) -> usize {
    let mut query = every(tenant_id);
    query.kind_prefix = Some(kind.to_owned());
    found(storage, query).await.len()
}

/// A site of a tenant that nobody named before, with a type that nobody used before.
fn new_names(kind: &str) -> Site {
    let mut site = Site::new(tenant_id());
    for _ in 0..3 {
        site.record(&Event { kind: kind.to_owned(), ..Event::of(site.tenant_id) });
    }
    site
}

async fn is_whole(storage: &Storage, site: &Site, kind: &str) {
    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    assert_eq!((heads.len(), held(&heads)), (1, 3));
    assert!(
        verified(storage, &heads[0], 2)
            .await
            .iter()
            .all(|record| record.link.tenant_id == site.tenant_id)
    );
    assert_eq!(found(storage, every(site.tenant_id)).await.len(), 3);
    assert_eq!(of_kind(storage, site.tenant_id, kind).await, 3);
}

#[tokio::test]
async fn a_batch_that_fails_in_a_group_leaves_nothing_and_touches_no_other() {
    let world = World::new();
    let storage = &world.storage;
    let (hand, done) = hold(storage);
    let mut done = pin!(done);
    assert!(look(&mut done).is_pending());
    hand.begun.recv().unwrap();

    let sites = ["a.first", "b.fails", "c.last"].map(new_names);
    let fails = |_: &Taken| panic!("a fault in a caller's code");
    let mut first = pin!(storage.take_batch(sites[0].batch(1..=3), no_trail));
    let mut broken = pin!(storage.take_batch(sites[1].batch(1..=3), fails));
    let mut last = pin!(storage.take_batch(sites[2].batch(1..=3), no_trail));
    assert!(look(&mut first).is_pending());
    assert!(look(&mut broken).is_pending());
    assert!(look(&mut last).is_pending());
    hand.go.send(()).unwrap();
    done.await.unwrap();

    assert_eq!(first.await.unwrap(), accepted(3, 0, false, sites[0].at()));
    assert!(matches!(broken.await, Err(StorageError::GivenUp)));
    assert_eq!(last.await.unwrap(), accepted(3, 0, false, sites[2].at()));
    is_whole(storage, &sites[0], "a.first").await;
    is_whole(storage, &sites[2], "c.last").await;
    assert!(storage.heads(sites[1].opening.device_key_id).await.unwrap().is_empty());
    assert!(found(storage, every(sites[1].tenant_id)).await.is_empty());

    // The numbers it had given went to the next: its own are others now.
    sites[1].send_all(storage).await;
    for (site, kind) in sites.iter().zip(["a.first", "b.fails", "c.last"]) {
        is_whole(storage, site, kind).await;
    }
}

#[tokio::test]
async fn after_a_group_is_lost_under_its_operations_no_number_names_another() {
    let world = World::new();
    let storage = &world.storage;
    let own = storage.own_chain().await.unwrap();
    let script = |script: &str| {
        rusqlite::Connection::open(&world.path).unwrap().execute_batch(script).unwrap();
    };
    let lost = new_names("a.lost");
    let alert = NewAlert {
        code: AlertCode::ChainForked,
        tenant_id: lost.tenant_id,
        agent: None,
        incident: "restored/1".to_owned(),
        at: NOW,
        detail: json!({}),
    };
    // As a full disk does: the transaction ends under the operation.
    script(
        "CREATE TRIGGER full BEFORE INSERT ON alert
         BEGIN SELECT RAISE (ROLLBACK, 'the disk is full'); END",
    );
    let raising = vec![alert];
    let failed = storage.take_batch(lost.batch(1..=3), move |_| Trail::alerts(raising)).await;
    assert!(matches!(failed, Err(StorageError::Unavailable { .. })), "{failed:?}");
    assert!(failed.unwrap_err().is_retryable());
    script("DROP TRIGGER full");
    assert!(storage.heads(lost.opening.device_key_id).await.unwrap().is_empty());

    let other = new_names("b.other");
    other.send_all(storage).await;
    lost.send_all(storage).await;
    is_whole(storage, &lost, "a.lost").await;
    is_whole(storage, &other, "b.other").await;
    assert_eq!(of_kind(storage, other.tenant_id, "a.lost").await, 0);
    assert_eq!(storage.own_chain().await.unwrap(), own);
    assert!(storage.alerts(AlertFilter::All, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn ten_thousand_invented_tenants_and_types_cost_no_memory_for_ever_and_mix_nothing_up() {
    let world = World::new();
    let storage = &world.storage;
    let mut site = Site::new(tenant_id());
    for number in 0..10_050 {
        let kind = format!("invented.t{number}");
        site.record(&Event { kind, ..Event::of(tenant_id()) });
    }
    let kind = "invented.t7".to_owned();
    let again = Event { kind, ..Event::of(site.records[7].link.tenant_id) };
    site.record(&again);
    site.send_all(storage).await;
    for at in [0, 7, 9_999, 10_000, 10_049] {
        let tenant_id = site.records[at].link.tenant_id;
        let all = 1 + usize::from(at == 7);
        assert_eq!(found(storage, every(tenant_id)).await.len(), all);
        assert_eq!(of_kind(storage, tenant_id, &format!("invented.t{at}")).await, all);
    }
}
