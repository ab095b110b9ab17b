//! Events: what runtimes hand over to the Kernel itself.

use serde_json::{Value, json};

use farhold_contract::{
    Code,
    id::{EventId, RuntimeId, TenantId},
};

use crate::{
    ask::Ask,
    kernel::{Kernel, Runtime},
};

/// An event with an id of its own.
pub(crate) fn event(tenant: TenantId, runtime: Option<RuntimeId>) -> Value {
    let id = farhold_kernel::random::id_v7(farhold_contract::Timestamp::from_ms(1_798_761_600_000));
    let mut event = json!({
        "event_id": EventId::from_uuid(id).unwrap(), "tenant_id": tenant,
        "actor_type": "user", "actor_id": "ana", "type": "course.completed",
        "timestamp": "2027-01-01T00:00:00Z", "correlation_id": "c-7",
        "payload": {"course": "ropes", "mail": "ana@school.example"},
    });
    if let Some(runtime) = runtime {
        event["runtime_id"] = json!(runtime);
    }
    event
}

async fn site() -> (Kernel, TenantId, Runtime) {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let runtime = kernel.runtime(tenant).await;
    (kernel, tenant, runtime)
}

fn send(runtime: &Runtime, body: Value) -> Ask {
    Ask::events(runtime.tenant_id, runtime.runtime_id, body).by(runtime)
}

#[tokio::test]
async fn one_event_is_kept_as_it_was_sent_and_a_retry_changes_nothing() {
    let (kernel, tenant, runtime) = site().await;
    let event = event(tenant, Some(runtime.runtime_id));
    let ask = || send(&runtime, json!({"event": event}));
    let id = &event["event_id"];
    assert_eq!(ask().of(&kernel).await.json(), json!({"event_id": id}));
    assert_eq!(ask().of(&kernel).await.json(), json!({"event_id": id, "duplicate": true}));
    assert_eq!(ask().v0_1().of(&kernel).await.json(), json!({}));
    assert_eq!(kernel.events(tenant, "course").await, [event]);
}

#[tokio::test]
async fn many_are_judged_one_by_one_and_the_good_ones_kept() {
    let (kernel, tenant, runtime) = site().await;
    let (good, other) = (event(tenant, None), event(tenant, Some(runtime.runtime_id)));
    let with = |name: &str, value: Value| {
        let mut event = event(tenant, None);
        event[name] = value;
        event
    };
    let mut conflict = good.clone();
    conflict["payload"] = json!({"course": "knots"});
    let random_id = with("event_id", json!("f47ac10b-58cc-4372-a567-0e02b2c3d479"));
    let stranger: TenantId = kernel.plane.new_id();
    let sent = [
        good.clone(),
        with("type", json!("kernel.decision.denied")),
        with("type", json!("agent.started")),
        with("actor_type", json!("system")),
        with("tenant_id", json!(stranger)),
        with("runtime_id", json!(kernel.plane.new_id::<RuntimeId>())),
        random_id,
        good.clone(),
        conflict,
        other.clone(),
    ];
    let answer = send(&runtime, json!({"events": sent})).of(&kernel).await.json();
    let outcomes: Vec<String> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| match one["code"].as_str() {
            Some(code) => code.to_owned(),
            None if one["duplicate"] == true => "duplicate".to_owned(),
            None => "kept".to_owned(),
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            "kept",
            "event.refused",
            "event.refused",
            "event.refused",
            "tenant.mismatch",
            "runtime.mismatch",
            "event.refused",
            "duplicate",
            "event.conflict",
            "kept",
        ]
    );
    assert_eq!(kernel.events(tenant, "course").await, [good, other]);
}

#[tokio::test]
async fn one_refused_event_is_a_problem() {
    let (kernel, tenant, runtime) = site().await;
    let mut reserved = event(tenant, None);
    reserved["type"] = json!("kernel.tenant.resumed");
    let ask = send(&runtime, json!({"event": reserved}));
    assert_eq!(ask.clone().refused(&kernel).await, Code::EventRefused);
    assert_eq!(ask.v0_1().refused(&kernel).await, Code::EventRefused);
}

#[tokio::test]
async fn a_thousand_at_once_are_kept_and_one_more_is_too_many() {
    let (kernel, tenant, runtime) = site().await;
    let small = |_| {
        let mut event = event(tenant, None);
        event["payload"] = json!({});
        event
    };
    let events: Vec<Value> = (0..1_000).map(small).collect();
    let answer = send(&runtime, json!({"events": events})).of(&kernel).await.json();
    assert_eq!(answer["results"].as_array().unwrap().len(), 1_000);
    let more: Vec<Value> = (0..1_001).map(small).collect();
    assert_eq!(
        send(&runtime, json!({"events": more})).refused(&kernel).await,
        Code::RequestMalformed
    );
}

#[tokio::test]
async fn what_a_license_asks_to_take_out_is_never_kept() {
    let (kernel, tenant, runtime) = site().await;
    kernel.license(tenant, json!({"audit": {"redact": ["/payload/mail"]}}));
    send(&runtime, json!({"event": event(tenant, None)})).of(&kernel).await.json();
    let kept = kernel.events(tenant, "course").await;
    assert_eq!(kept[0]["payload"], json!({"course": "ropes", "mail": {"redacted": true}}));
    // Another organization's licenses say nothing about it.
    let other = kernel.tenant().await;
    let theirs = kernel.runtime(other).await;
    send(&theirs, json!({"event": event(other, None)})).of(&kernel).await.json();
    assert_eq!(kernel.events(other, "course").await[0]["payload"]["mail"], "ana@school.example");
}

#[tokio::test]
async fn a_site_that_is_not_ours_to_write_is_refused_before_anything_is_kept() {
    let (kernel, tenant, runtime) = site().await;
    let stranger: TenantId = kernel.plane.new_id();
    let ask = send(&runtime, json!({"event": event(stranger, None)}));
    assert_eq!(ask.refused(&kernel).await, Code::TenantMismatch);
    assert!(kernel.events(tenant, "course").await.is_empty());
}

#[tokio::test]
async fn an_agent_hands_over_its_runtimes_events() {
    let (kernel, tenant, _) = site().await;
    let agent = kernel.agent(&[tenant]).await;
    let runtime = kernel.runtime_of(&agent, tenant).await;
    let ask = Ask::events(tenant, runtime, json!({"event": event(tenant, Some(runtime))}));
    ask.by_agent(&agent).of(&kernel).await.json();
    assert_eq!(kernel.events(tenant, "course").await[0]["runtime_id"], json!(runtime));
}
