//! Checks that consume: counted once, whatever is repeated.

use std::time::Duration;

use serde_json::{Value, json};

use farhold_contract::{Code, id::TenantId};

use crate::{
    ask::Ask,
    kernel::{Kernel, Runtime},
};

async fn site() -> (Kernel, TenantId, Runtime) {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    kernel.license(tenant, json!({}));
    let runtime = kernel.runtime(tenant).await;
    (kernel, tenant, runtime)
}

fn rooms(runtime: &Runtime) -> Ask {
    Ask::check(runtime.tenant_id, runtime.runtime_id, "live.rooms").by(runtime)
}

#[tokio::test]
async fn consumption_counts_to_the_quota_and_no_further() {
    let (kernel, tenant, runtime) = site().await;
    let first = rooms(&runtime).consuming(4).of(&kernel).await.json();
    assert_eq!(first["usage"], json!({"used": 4, "remaining": 6}));
    let over = rooms(&runtime).consuming(7).of(&kernel).await.json();
    assert_eq!((&over["allowed"], &over["reason"]), (&json!(false), &json!("quota.exhausted")));
    assert_eq!(over["usage"], json!({"used": 4, "remaining": 6}), "all of it or nothing");
    assert_eq!(rooms(&runtime).consuming(6).of(&kernel).await.json()["usage"]["remaining"], 0);
    assert_eq!(rooms(&runtime).of(&kernel).await.json()["reason"], "quota.exhausted");

    let told = kernel.events(tenant, "kernel.decision.consumed").await;
    let units: Vec<_> = told.iter().map(|event| &event["payload"]["units"]).collect();
    assert_eq!(units, [4, 6]);
    assert_eq!(told[0]["payload"]["decision_id"], first["decision_id"]);
    assert_eq!(told[1]["payload"]["used"], 10);
    assert_eq!(kernel.events(tenant, "kernel.decision.denied").await.len(), 1);
}

#[tokio::test]
async fn a_retry_under_its_key_gets_the_same_bytes_and_counts_once() {
    let (kernel, tenant, runtime) = site().await;
    let ask = || rooms(&runtime).consuming(3).under_key("order-17");
    let first = ask().of(&kernel).await;
    assert!(!first.headers.contains_key("idempotency-replayed"));
    for _ in 0..3 {
        let again = ask().of(&kernel).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.body, first.body);
    }
    assert_eq!(rooms(&runtime).of(&kernel).await.json()["usage"]["used"], 3);
    assert_eq!(kernel.events(tenant, "kernel.decision.consumed").await.len(), 1);
}

#[tokio::test]
async fn a_refusal_is_replayed_too() {
    let (kernel, _, runtime) = site().await;
    let ask = || rooms(&runtime).consuming(11).under_key("too-many");
    let first = ask().of(&kernel).await;
    assert_eq!(first.json()["reason"], "quota.exhausted");
    let again = ask().of(&kernel).await;
    assert_eq!(
        (&again.body, &again.headers["idempotency-replayed"]),
        (&first.body, &"true".parse().unwrap())
    );
}

#[tokio::test]
async fn a_key_with_another_body_is_a_conflict_and_counts_nothing() {
    let (kernel, _, runtime) = site().await;
    rooms(&runtime).consuming(1).under_key("k").of(&kernel).await.json();
    let other = rooms(&runtime).consuming(2).under_key("k");
    assert_eq!(other.refused(&kernel).await, Code::IdempotencyConflict);
    assert_eq!(rooms(&runtime).of(&kernel).await.json()["usage"]["used"], 1);
}

#[tokio::test]
async fn a_key_is_kept_for_an_hour() {
    let (kernel, _, runtime) = site().await;
    let ask = || rooms(&runtime).consuming(2).under_key("k");
    ask().of(&kernel).await.json();
    kernel.clock.pass(Duration::from_secs(3_599));
    assert_eq!(ask().of(&kernel).await.headers["idempotency-replayed"], "true");
    kernel.clock.pass(Duration::from_secs(1));
    farhold_kernel::control::tick(&kernel.plane).await;
    assert_eq!(ask().of(&kernel).await.json()["usage"]["used"], 4);
}

#[tokio::test]
async fn a_key_that_can_not_be_used_is_told_so() {
    let (kernel, _, runtime) = site().await;
    let long = "x".repeat(65);
    for key in ["", long.as_str(), "a b"] {
        let ask = rooms(&runtime).consuming(1).under_key(key);
        assert_eq!(ask.refused(&kernel).await, Code::IdempotencyKeyInvalid, "{key:?}");
    }
    assert_eq!(rooms(&runtime).under_key("k").refused(&kernel).await, Code::IdempotencyKeyInvalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_never_take_more_than_the_quota() {
    let (kernel, tenant, runtime) = site().await;
    let kernel = std::sync::Arc::new(kernel);
    let asked: Vec<_> = (0..40)
        .map(|_| {
            let (kernel, ask) = (std::sync::Arc::clone(&kernel), rooms(&runtime).consuming(3));
            tokio::spawn(async move { ask.of(&kernel).await.json() })
        })
        .collect();
    let mut allowed = 0;
    for answer in asked {
        allowed += u32::from(answer.await.unwrap()["allowed"] == true);
    }
    assert_eq!(allowed, 3, "three times three of ten");
    assert_eq!(rooms(&runtime).of(&kernel).await.json()["usage"]["used"], 9);
    assert_eq!(kernel.events(tenant, "kernel.decision.consumed").await.len(), 3);
}

#[tokio::test]
async fn a_window_turns_and_the_quota_begins_anew() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let daily = json!({"feature": "live.rooms", "limits": {"quota": 2, "time_window": "P1D"}});
    kernel.license(tenant, json!({"entitlements": [daily]}));
    let runtime = kernel.runtime(tenant).await;
    let used = rooms(&runtime).consuming(2).of(&kernel).await.json();
    assert_eq!(
        used["usage"],
        json!({"used": 2, "remaining": 0, "resets_at": "2027-01-02T00:00:00Z"})
    );
    kernel.clock.pass(Duration::from_secs(86_400));
    let next = rooms(&runtime).of(&kernel).await.json();
    assert_eq!(
        next["usage"],
        json!({"used": 0, "remaining": 2, "resets_at": "2027-01-03T00:00:00Z"})
    );
}

#[tokio::test]
async fn what_no_license_speaks_for_consumes_nothing() {
    let (kernel, tenant, runtime) = site().await;
    let ask = Ask::check(tenant, runtime.runtime_id, "gold").by(&runtime).consuming(1);
    for _ in 0..2 {
        let answer = ask.clone().of(&kernel).await.json();
        assert_eq!(answer["reason"], "feature.not_granted");
    }
    let told = kernel.events(tenant, "kernel.decision").await;
    let kinds: Vec<&Value> = told.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["kernel.decision.denied"]);
}
