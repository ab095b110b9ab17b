//! Counters and the answers kept for retries: one transaction, all of it or nothing.

use std::{sync::Arc, time::Duration};

use farhold_contract::{
    Timestamp,
    id::{RuntimeId, TenantId},
};
use farhold_kernel::storage::{IdempotentAnswer, Ledger, Storage, StorageError, StoredAnswer};
use farhold_policy::{Counter, CounterKey, CounterScope};

use crate::world::{NOW, World, digest, later, runtime_id, tenant_id};

fn key(tenant_id: TenantId, feature: &str) -> CounterKey {
    let scope = CounterScope::Window { product: Arc::from("courses"), window: Arc::from("P1M") };
    CounterKey { tenant_id, feature: Arc::from(feature), scope }
}

fn used(used: u64) -> Counter {
    Counter { window_start: Some(NOW), used }
}

fn answer(tenant_id: TenantId, runtime_id: RuntimeId, key: &str) -> StoredAnswer {
    StoredAnswer {
        tenant_id,
        runtime_id,
        key: key.to_owned(),
        body_sha256: digest(),
        answer: b"{\"allowed\":true}".to_vec(),
        expires_at: later(3_600),
    }
}

async fn known(storage: &Storage, answer: &StoredAnswer, now: Timestamp) -> IdempotentAnswer {
    let answer = answer.clone();
    storage.decide(move |ledger| look(ledger, &answer, now)).await.unwrap()
}

fn look(
    ledger: &mut Ledger<'_, '_>,
    answer: &StoredAnswer,
    now: Timestamp,
) -> Result<IdempotentAnswer, StorageError> {
    let StoredAnswer { tenant_id, runtime_id, key, body_sha256, .. } = answer;
    ledger.idempotent(*tenant_id, *runtime_id, key, *body_sha256, now)
}

#[tokio::test]
async fn counter_and_answer_are_kept_together_or_not_at_all() {
    let world = World::new();
    let storage = &world.storage;
    let tenant_id = tenant_id();
    let (video, kept) = (key(tenant_id, "video"), answer(tenant_id, runtime_id(), "one"));
    let consume = |fails: bool| {
        let (video, kept) = (video.clone(), kept.clone());
        storage.decide(move |ledger| {
            let before = ledger.counter(&video)?.map_or(0, |counter| counter.used);
            ledger.put_counter(&video, used(before + 3))?;
            ledger.keep_answer(&kept)?;
            // What this transaction has done, it sees.
            assert_eq!(ledger.counter(&video)?, Some(used(before + 3)));
            assert!(matches!(look(ledger, &kept, NOW)?, IdempotentAnswer::Replay(_)));
            if fails { Err(StorageError::Unknown { what: "license" }) } else { Ok(()) }
        })
    };
    assert!(consume(true).await.is_err());
    assert_eq!(storage.counter(&video).await.unwrap(), None);
    assert_eq!(known(storage, &kept, NOW).await, IdempotentAnswer::New);
    consume(false).await.unwrap();
    assert_eq!(storage.counter(&video).await.unwrap(), Some(used(3)));
    let world = world.reopened();
    let storage = &world.storage;
    assert_eq!(storage.counter(&video).await.unwrap(), Some(used(3)));
    assert_eq!(known(storage, &kept, NOW).await, IdempotentAnswer::Replay(kept.answer.clone()));
}

#[tokio::test]
async fn consumptions_at_once_lose_no_unit() {
    let world = World::new();
    let storage = &world.storage;
    let video = key(tenant_id(), "video");
    let consuming: Vec<_> = (0..200)
        .map(|_| {
            let (storage, video) = (storage.clone(), video.clone());
            tokio::spawn(async move {
                storage
                    .decide(move |ledger| {
                        let before = ledger.counter(&video)?.map_or(0, |counter| counter.used);
                        ledger.put_counter(&video, used(before + 1))?;
                        Ok(before)
                    })
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut seen = Vec::new();
    for one in consuming {
        seen.push(one.await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..200).collect::<Vec<u64>>());
    assert_eq!(storage.counter(&video).await.unwrap(), Some(used(200)));
}

#[tokio::test]
async fn counters_are_a_tenants_own() {
    let world = World::new();
    let storage = &world.storage;
    let tenants = [tenant_id(), tenant_id()];
    let keys = [
        (key(tenants[0], "video"), used(1)),
        (key(tenants[0], "labs"), used(2)),
        (key(tenants[1], "video"), Counter { window_start: None, used: 3 }),
    ];
    let put = keys.clone();
    storage
        .decide(move |ledger| {
            put.iter().try_for_each(|(key, count)| ledger.put_counter(key, *count))
        })
        .await
        .unwrap();
    for (key, count) in &keys {
        assert_eq!(storage.counter(key).await.unwrap(), Some(*count));
    }
    let text = |at: usize| (keys[at].0.to_key_text(), keys[at].1);
    assert_eq!(storage.counters(tenants[0]).await.unwrap(), [text(1), text(0)]);
    assert_eq!(storage.counters(tenants[1]).await.unwrap(), [text(2)]);
    assert!(storage.counters(tenant_id()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_answers_the_same_request_of_the_same_runtime_until_it_expires() {
    let world = World::new();
    let storage = &world.storage;
    let kept = answer(tenant_id(), runtime_id(), "one");
    let keep = |answer: StoredAnswer| storage.decide(move |ledger| ledger.keep_answer(&answer));
    keep(kept.clone()).await.unwrap();
    let replay = IdempotentAnswer::Replay(kept.answer.clone());
    let just_before = later(3_600) - Duration::from_millis(1);
    assert_eq!(known(storage, &kept, just_before).await, replay);
    let other_body = StoredAnswer { body_sha256: digest(), ..kept.clone() };
    assert_eq!(known(storage, &other_body, NOW).await, IdempotentAnswer::Conflict);
    for elsewhere in [
        StoredAnswer { key: "two".to_owned(), ..kept.clone() },
        StoredAnswer { runtime_id: runtime_id(), ..kept.clone() },
        StoredAnswer { tenant_id: tenant_id(), ..kept.clone() },
    ] {
        assert_eq!(known(storage, &elsewhere, NOW).await, IdempotentAnswer::New);
    }
    // Expired and not yet forgotten: its key is free, and a new answer takes its place.
    assert_eq!(known(storage, &other_body, later(3_600)).await, IdempotentAnswer::New);
    let again = StoredAnswer { expires_at: later(7_200), ..other_body };
    keep(again.clone()).await.unwrap();
    assert_eq!(known(storage, &again, later(3_600)).await, replay);
    assert_eq!(storage.forget_answers(later(3_600)).await.unwrap(), 0);
}

#[tokio::test]
async fn expired_answers_are_forgotten_in_steps_and_make_room_for_their_runtimes_keys() {
    let world = World::new();
    let storage = &world.storage;
    let (tenant, runtime) = (tenant_id(), runtime_id());
    storage
        .decide(move |ledger| {
            // The first one twice: it is one key all the same.
            for number in (0..1).chain(0..1_200) {
                let late = u64::from(number >= 1_100);
                let mut kept = answer(tenant, runtime, &format!("key {number}"));
                kept.expires_at = later(3_600 * (late + 1));
                ledger.keep_answer(&kept)?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let keys = |path: &std::path::Path| {
        let sql = rusqlite::Connection::open(path).unwrap();
        let keys: i64 =
            sql.query_row("SELECT sum(keys) FROM idempotency_keys", [], |row| row.get(0)).unwrap();
        keys
    };
    assert_eq!(keys(&world.path), 1_200);
    assert_eq!(storage.forget_answers(NOW).await.unwrap(), 0);
    assert_eq!(storage.forget_answers(later(3_600)).await.unwrap(), 1_000);
    assert_eq!(storage.forget_answers(later(3_600)).await.unwrap(), 100);
    assert_eq!(storage.forget_answers(later(3_600)).await.unwrap(), 0);
    assert_eq!(keys(&world.path), 100);
}

#[tokio::test]
async fn a_runtime_has_a_million_keys_and_no_more() {
    let world = World::new();
    let storage = &world.storage;
    let kept = answer(tenant_id(), runtime_id(), "one");
    let mine = kept.clone();
    storage.decide(move |ledger| ledger.keep_answer(&mine)).await.unwrap();
    rusqlite::Connection::open(&world.path)
        .unwrap()
        .execute("UPDATE idempotency_keys SET keys = 1000000", [])
        .unwrap();
    let next = StoredAnswer { key: "two".to_owned(), ..kept.clone() };
    assert_eq!(known(storage, &next, NOW).await, IdempotentAnswer::TooMany);
    assert_eq!(known(storage, &kept, NOW).await, IdempotentAnswer::Replay(kept.answer.clone()));
    let of_another = StoredAnswer { runtime_id: runtime_id(), ..next };
    assert_eq!(known(storage, &of_another, NOW).await, IdempotentAnswer::New);
}
