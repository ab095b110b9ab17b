//! Checks that look: decided by the licenses that stand at the Kernel.

use std::time::Duration;

use serde_json::{Value, json};

use farhold_contract::{id::TenantId, model::RuntimeType};

use crate::{
    ask::Ask,
    kernel::{Kernel, Runtime},
};

const DAY: Duration = Duration::from_secs(86_400);

async fn site() -> (Kernel, TenantId, Runtime) {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let runtime = kernel.runtime(tenant).await;
    (kernel, tenant, runtime)
}

fn look(runtime: &Runtime, feature: &str) -> Ask {
    Ask::check(runtime.tenant_id, runtime.runtime_id, feature).by(runtime)
}

fn reason(answer: &Value) -> (bool, &str, &str) {
    (
        answer["allowed"].as_bool().unwrap(),
        answer["reason"].as_str().unwrap_or("-"),
        answer["mode"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn a_licensed_feature_is_allowed_and_the_kernel_is_online() {
    let (kernel, tenant, runtime) = site().await;
    kernel.license(tenant, json!({}));
    let answer = look(&runtime, "courses.play").of(&kernel).await.json();
    assert_eq!(reason(&answer), (true, "-", "online"));
    assert_eq!(answer["limits"], json!({}));
    assert!(answer.get("usage").is_none());
    assert!(answer["decision_id"].is_string());
    let counted = look(&runtime, "live.rooms").of(&kernel).await.json();
    assert_eq!(counted["limits"], json!({"quota": 10}));
    assert_eq!(counted["usage"], json!({"used": 0, "remaining": 10}));
}

#[tokio::test]
async fn a_v0_1_caller_sees_exactly_v0_1() {
    let (kernel, tenant, runtime) = site().await;
    kernel.license(tenant, json!({}));
    let ask = |feature| look(&runtime, feature).v0_1();
    assert_eq!(
        ask("live.rooms").of(&kernel).await.json(),
        json!({"allowed": true, "limits": {"quota": 10}})
    );
    assert_eq!(ask("gold").of(&kernel).await.json(), json!({"allowed": false}));
    // What v0.2 adds to requests has no meaning.
    let consuming = ask("live.rooms").consuming(4).under_key("k");
    assert_eq!(consuming.of(&kernel).await.json()["allowed"], true);
    assert_eq!(look(&runtime, "live.rooms").of(&kernel).await.json()["usage"]["used"], 0);
}

#[tokio::test]
async fn what_no_license_speaks_for_is_refused_with_its_reason() {
    let (kernel, tenant, runtime) = site().await;
    let answer = look(&runtime, "courses.play").of(&kernel).await.json();
    assert_eq!(reason(&answer), (false, "license.missing", "none"));
    let license = kernel.license(tenant, json!({}));
    let answer = look(&runtime, "gold").of(&kernel).await.json();
    assert_eq!(reason(&answer), (false, "feature.not_granted", "none"));
    kernel.revoke(&[&license]);
    let answer = look(&runtime, "courses.play").of(&kernel).await.json();
    assert_eq!(reason(&answer), (false, "license.revoked", "none"));
}

#[tokio::test]
async fn a_license_is_held_to_the_kernels_clock() {
    let (kernel, tenant, runtime) = site().await;
    kernel.license(
        tenant,
        json!({
            "expires_on": "2027-01-09", "time_zone": "UTC",
            "ladder": {"grace": "P2D", "restrict": "P3D"},
        }),
    );
    let mut modes = Vec::new();
    // From 2027-01-01 to the day after the restricted time.
    for _ in 0..5 {
        let answer = look(&runtime, "courses.play").of(&kernel).await.json();
        modes.push(reason(&answer).2.to_owned() + " " + reason(&answer).1);
        kernel.clock.pass(4 * DAY - DAY / 2);
    }
    assert_eq!(modes, ["online -", "online -", "online -", "grace -", "none license.expired"]);
}

#[tokio::test]
async fn an_entitlement_for_another_type_of_runtime_is_not_this_ones() {
    let (kernel, tenant, runtime) = site().await;
    kernel.license(tenant, json!({}));
    let (token, token_id) = kernel.token(tenant, RuntimeType::Labs).await;
    let register = Ask::register_with(tenant, json!({"runtime_type": "labs"})).by_token(&token);
    let runtime_id =
        register.of(&kernel).await.json()["runtime_id"].as_str().unwrap().parse().unwrap();
    let labs = Runtime { tenant_id: tenant, runtime_id, token, token_id };
    assert_eq!(look(&runtime, "courses.play").of(&kernel).await.json()["allowed"], true);
    let answer = look(&labs, "courses.play").of(&kernel).await.json();
    assert_eq!(reason(&answer), (false, "feature.not_granted", "none"));
}

#[tokio::test]
async fn an_agent_in_its_own_name_is_no_runtime() {
    let (kernel, tenant, _) = site().await;
    kernel.license(tenant, json!({}));
    let agent = kernel.agent(&[tenant]).await;
    for ask in [
        Ask::check(tenant, agent.agent_id, "courses.play"),
        Ask::check(tenant, agent.agent_id, "live.rooms").consuming(1),
    ] {
        let answer = ask.by_agent(&agent).of(&kernel).await.json();
        assert_eq!(reason(&answer), (false, "runtime.not_registered", "none"));
    }
}

#[tokio::test]
async fn the_first_refusal_is_told_at_once_and_its_repeats_as_one_event_with_a_count() {
    let (kernel, tenant, runtime) = site().await;
    kernel.license(tenant, json!({}));
    for _ in 0..5 {
        look(&runtime, "gold").of(&kernel).await;
    }
    look(&runtime, "silver").of(&kernel).await;
    look(&runtime, "courses.play").of(&kernel).await;
    let denied = || kernel.events(tenant, "kernel.decision.denied");
    let said = |events: Vec<Value>| -> Vec<(String, u64)> {
        let told = |e: &Value| {
            let payload = &e["payload"];
            (payload["feature"].as_str().unwrap().to_owned(), payload["count"].as_u64().unwrap())
        };
        events.iter().map(told).collect()
    };
    let first = [("gold".to_owned(), 1), ("silver".to_owned(), 1)];
    assert_eq!(said(denied().await), first);
    farhold_kernel::control::tick(&kernel.plane).await;
    assert_eq!(said(denied().await), first, "the minute is not over");
    kernel.clock.pass(Duration::from_secs(60));
    farhold_kernel::control::tick(&kernel.plane).await;
    let events = denied().await;
    assert_eq!(said(events.clone())[2..], [("gold".to_owned(), 4)]);
    assert_eq!(events[0]["runtime_id"], json!(runtime.runtime_id));
    assert_eq!(events[0]["correlation_id"], "c-42");
    assert_eq!(events[0]["payload"]["code"], "feature.not_granted");
}

#[tokio::test]
async fn what_is_counted_is_written_when_the_kernel_stops() {
    let (kernel, tenant, runtime) = site().await;
    for _ in 0..3 {
        look(&runtime, "gold").of(&kernel).await;
    }
    farhold_kernel::control::settle(&kernel.plane).await;
    let events = kernel.events(tenant, "kernel.decision.denied").await;
    let counts: Vec<_> = events.iter().map(|event| &event["payload"]["count"]).collect();
    assert_eq!(counts, [1, 2]);
}

#[tokio::test]
async fn a_license_decides_which_looks_leave_an_event() {
    let (kernel, tenant, runtime) = site().await;
    kernel.license(tenant, json!({"audit": {"decisions": ["all"]}}));
    let answer = look(&runtime, "courses.play").of(&kernel).await.json();
    let told = kernel.events(tenant, "kernel.decision.allowed").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["payload"]["decision_id"], answer["decision_id"]);

    let (kernel, tenant, runtime) = site().await;
    kernel.license(tenant, json!({"audit": {"decisions": ["consumed"]}}));
    look(&runtime, "gold").of(&kernel).await;
    assert!(kernel.events(tenant, "kernel.decision").await.is_empty());
}
