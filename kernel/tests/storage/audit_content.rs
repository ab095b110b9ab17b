//! Content: refused, repeated, withheld. None of it breaks a chain (bundle.md §6.7).

use farhold_audit::Withheld;
use farhold_contract::{Code, id::TenantId};
use farhold_kernel::storage::{DeadLetter, HeldRecord, Refused, Storage, Taken, TakenBody};

use crate::{
    audit_site::{Event, Site, accepted, event_id, every, found, verified},
    world::{World, tenant_id},
};

async fn letters(storage: &Storage, tenant_id: TenantId) -> Vec<DeadLetter> {
    let page = storage.dead_letters(tenant_id, None, 1_000).await.unwrap();
    assert_eq!(page.next, None);
    page.letters
}

async fn chain(storage: &Storage, site: &Site) -> Vec<HeldRecord> {
    let heads = storage.heads(site.opening.device_key_id).await.unwrap();
    verified(storage, heads.last().unwrap(), 3).await
}

#[tokio::test]
async fn a_foreign_tenants_record_is_a_dead_letter_of_the_agents_own_and_of_nobody_else() {
    let world = World::new();
    let storage = &world.storage;
    let (own, foreign) = (tenant_id(), tenant_id());
    // The foreign tenant has events of its own here.
    Site::of(foreign, 3).send_all(storage).await;
    let mut site = Site::of(own, 2);
    let stray = Event::of(foreign);
    site.record_refused(&stray, Code::TenantMismatch);
    site.run_on(2);
    site.send_all(storage).await;

    let listed = letters(storage, own).await;
    assert_eq!(listed.len(), 1);
    let letter = &listed[0];
    assert_eq!((letter.agent, letter.epoch, letter.seq), (Some(site.agent), site.opening.epoch, 3));
    assert_eq!((letter.code, letter.detail.as_str()), (Code::TenantMismatch, "not of this site"));
    assert_eq!(letter.event.as_deref(), Some(&stray.bytes()[..]));
    assert!(letters(storage, foreign).await.is_empty());
    assert_eq!(found(storage, every(foreign)).await.len(), 3);
    assert_eq!(found(storage, every(own)).await.len(), 4);

    let chain = chain(storage, &site).await;
    let refused: Vec<_> = chain.iter().filter_map(|record| record.refused.clone()).collect();
    let detail = "not of this site".to_owned();
    assert_eq!(refused, [Refused { code: Code::TenantMismatch, detail, listed_under: own }]);
    assert_eq!((chain.len(), chain[2].link.tenant_id), (5, foreign));
}

#[tokio::test]
async fn a_flood_of_foreign_records_does_not_stand_in_the_way_of_the_tenants_own_listing() {
    let world = World::new();
    let storage = &world.storage;
    let (own, foreign) = (tenant_id(), tenant_id());
    let mut site = Site::new(own);
    for _ in 0..50 {
        site.record_refused(&Event::of(foreign), Code::TenantMismatch);
    }
    site.send_all(storage).await;
    assert!(found(storage, every(foreign)).await.is_empty());
    let mut at = None;
    let mut seen = Vec::new();
    loop {
        let page = storage.dead_letters(own, at, 20).await.unwrap();
        seen.extend(page.letters.iter().map(|letter| letter.seq));
        at = page.next;
        if at.is_none() {
            break;
        }
        assert_eq!(page.letters.len(), 20);
    }
    assert_eq!(seen, (1..=50).collect::<Vec<u64>>());
}

#[tokio::test]
async fn content_that_is_no_event_is_its_tenants_dead_letter() {
    let world = World::new();
    let storage = &world.storage;
    let mut site = Site::of(tenant_id(), 1);
    let twice = Event::of(site.tenant_id);
    site.record_refused(&twice, Code::EventRefused);
    // Refused content takes nobody's id: the event itself may still come.
    site.record(&twice);
    site.send_all(storage).await;
    assert_eq!(letters(storage, site.tenant_id).await[0].code, Code::EventRefused);
    assert_eq!(found(storage, every(site.tenant_id)).await.len(), 2);
}

#[tokio::test]
async fn an_event_that_comes_on_two_branches_is_listed_once_and_held_twice() {
    let world = World::new();
    let storage = &world.storage;
    let mut before = Site::of(tenant_id(), 2);
    let events: Vec<Event> = (0..3).map(|_| Event::of(before.tenant_id)).collect();
    for event in &events {
        before.record(event);
    }
    before.send_all(storage).await;
    // The runtimes repeat what the restored agent does not know: other records, the same events.
    let mut restored = before.restored_at(2);
    for event in &events {
        restored.record(event);
    }
    restored.run_on(1);
    assert_eq!(restored.send(storage, 3..=6).await, accepted(4, 0, true, restored.at()));
    // And a third time, through another site.
    let mut elsewhere = Site::new(before.tenant_id);
    elsewhere.record(&events[0]);
    elsewhere.send_all(storage).await;

    let listed = found(storage, every(before.tenant_id)).await;
    assert_eq!(listed.len(), 6);
    let of_first = [events[0].bytes(), events[1].bytes(), events[2].bytes()];
    let seen: Vec<_> = listed.iter().filter_map(|entry| entry.event.clone()).collect();
    for event in &of_first {
        assert_eq!(seen.iter().filter(|seen| *seen == event).count(), 1);
    }
    let one = farhold_kernel::storage::AuditQuery {
        event_id: Some(events[0].event_id),
        ..every(before.tenant_id)
    };
    let one = found(storage, one).await;
    assert_eq!((one.len(), one[0].agent, one[0].seq), (1, Some(before.agent), 3));
    assert_eq!(chain(storage, &restored).await.len(), 6);
    assert!(letters(storage, before.tenant_id).await.is_empty());
}

#[tokio::test]
async fn other_bytes_under_a_known_id_are_a_conflict_that_a_retry_hears_of_again() {
    let world = World::new();
    let storage = &world.storage;
    let mut site = Site::of(tenant_id(), 2);
    let event = Event::of(site.tenant_id);
    site.record(&event);
    let other = Event { text: "not Ada".to_owned(), ..event.clone() };
    site.record(&other);
    site.run_on(1);
    let refused = Refused {
        code: Code::EventConflict,
        detail: format!("another event has the id {}", event.event_id),
        listed_under: site.tenant_id,
    };
    let taken = |new, known| Taken::Accepted {
        new,
        known,
        forked: false,
        missing: None,
        tip: site.at(),
        refused: vec![(4, refused.clone())],
    };
    assert_eq!(site.send(storage, 1..=5).await, taken(5, 0));
    assert_eq!(site.send(storage, 1..=5).await, taken(0, 5));
    assert_eq!(site.send(storage, 4..=5).await, taken(0, 2));

    let letters = letters(storage, site.tenant_id).await;
    assert_eq!((letters.len(), letters[0].seq, letters[0].code), (1, 4, Code::EventConflict));
    assert_eq!(letters[0].event, Some(other.bytes()));
    let listed = found(storage, every(site.tenant_id)).await;
    assert_eq!(listed.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3, 5]);
    assert_eq!(chain(storage, &site).await[3].refused, Some(refused));
}

#[tokio::test]
async fn what_the_caller_refused_already_is_not_told_a_second_time() {
    let world = World::new();
    let storage = &world.storage;
    let mut site = Site::of(tenant_id(), 1);
    site.record_refused(&Event::of(tenant_id()), Code::TenantMismatch);
    assert_eq!(site.send(storage, 1..=2).await, accepted(2, 0, false, site.at()));
    assert_eq!(site.send(storage, 1..=2).await, accepted(0, 2, false, site.at()));
}

#[tokio::test]
async fn ids_are_a_tenants_own_and_say_nothing_of_anothers() {
    let world = World::new();
    let storage = &world.storage;
    let id = event_id();
    let mut sites = Vec::new();
    for text in ["one", "another"] {
        let mut site = Site::new(tenant_id());
        site.record(&Event { event_id: id, text: text.to_owned(), ..Event::of(site.tenant_id) });
        site.send_all(storage).await;
        sites.push(site);
    }
    for site in &sites {
        assert_eq!(found(storage, every(site.tenant_id)).await.len(), 1);
        assert!(letters(storage, site.tenant_id).await.is_empty());
    }
}

#[tokio::test]
async fn withheld_records_keep_their_chain_and_are_listed_without_an_event() {
    let world = World::new();
    let storage = &world.storage;
    let mut site = Site::of(tenant_id(), 1);
    let all = [Withheld::Expired, Withheld::Erased, Withheld::OtherTenant];
    for why in all {
        site.record_withheld(&Event::of(site.tenant_id), why);
    }
    site.send_all(storage).await;
    let bodies: Vec<_> = chain(storage, &site).await.into_iter().map(|held| held.body).collect();
    assert_eq!(bodies[1..], all.map(TakenBody::Withheld));
    let listed = found(storage, every(site.tenant_id)).await;
    assert_eq!(listed.iter().filter(|entry| entry.event.is_none()).count(), 3);
}
