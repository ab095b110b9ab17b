//! Two organizations that can't see each other by any call.

use serde_json::{Value, json};

use farhold_contract::{
    Code,
    id::{RuntimeId, TenantId},
};

use crate::{
    ask::Ask,
    events::event,
    issuer::SigningKey,
    kernel::{Agent, Kernel, Runtime},
};

/// Every call that is made in a runtime's name, right for that runtime.
fn calls(tenant: TenantId, runtime: RuntimeId) -> Vec<Ask> {
    vec![
        Ask::register_with(tenant, json!({"runtime_id": runtime}))
            .with("x-runtime-id", &runtime.to_string()),
        Ask::heartbeat(tenant, runtime),
        Ask::check(tenant, runtime, "courses.play"),
        Ask::check(tenant, runtime, "live.rooms").consuming(1).under_key("k"),
        Ask::resolve(tenant, runtime, "a.b.c"),
        Ask::events(tenant, runtime, json!({"event": event(tenant, Some(runtime))})),
    ]
}

/// Two organizations, each with a license, a runtime with a token, an agent and a runtime of its.
struct Two {
    kernel: Kernel,
    a: Side,
    b: Side,
}

struct Side {
    tenant: TenantId,
    runtime: Runtime,
    agent: Agent,
    through_agent: RuntimeId,
}

impl Two {
    async fn new() -> Self {
        let kernel = Kernel::new().await;
        let (a, b) = (Side::new(&kernel).await, Side::new(&kernel).await);
        Self { kernel, a, b }
    }

    /// Refused with this code, and nothing of it is anywhere.
    async fn refuses(&self, ask: Ask, code: Code, what: &str) {
        let answer = ask.of(&self.kernel).await;
        assert_eq!(answer.problem().code, code, "{what}");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains(&self.b.tenant.to_string()), "{what}: {text}");
    }
}

impl Side {
    async fn new(kernel: &Kernel) -> Self {
        let tenant = kernel.tenant().await;
        kernel.license(tenant, json!({}));
        let runtime = kernel.runtime(tenant).await;
        let agent = kernel.agent(&[tenant]).await;
        let through_agent = kernel.runtime_of(&agent, tenant).await;
        Self { tenant, runtime, agent, through_agent }
    }
}

#[tokio::test]
async fn a_token_with_another_tenants_header_is_refused_by_every_call() {
    let Two { kernel, a, b } = &Two::new().await;
    for (at, ask) in calls(a.tenant, a.runtime.runtime_id).into_iter().enumerate() {
        let ask = ask.by(&a.runtime).for_tenant(b.tenant);
        assert_eq!(ask.refused(kernel).await, Code::TenantMismatch, "call {at}");
    }
    let versions = Ask::versions().for_tenant(b.tenant).by(&a.runtime);
    assert_eq!(versions.refused(kernel).await, Code::TenantMismatch);
}

#[tokio::test]
async fn a_token_with_another_tenants_body_is_refused_by_every_call() {
    let two = Two::new().await;
    let (a, b) = (&two.a, &two.b);
    for (at, ask) in calls(a.tenant, a.runtime.runtime_id).into_iter().enumerate() {
        // A heartbeat names no tenant in its body.
        if at == 1 {
            continue;
        }
        let other = if at == 5 {
            json!({"event": event(b.tenant, Some(a.runtime.runtime_id))})
        } else {
            json!({"tenant_id": b.tenant})
        };
        let ask = ask.by(&a.runtime).saying(other);
        two.refuses(ask, Code::TenantMismatch, &format!("call {at}")).await;
    }
}

#[tokio::test]
async fn a_token_in_the_name_of_another_tenants_runtime_is_refused_by_every_call() {
    let two = Two::new().await;
    let (a, b) = (&two.a, &two.b);
    for theirs in [b.runtime.runtime_id, b.through_agent, b.agent.agent_id] {
        for (at, ask) in calls(a.tenant, theirs).into_iter().enumerate() {
            two.refuses(ask.by(&a.runtime), Code::RuntimeMismatch, &format!("call {at}")).await;
        }
        let body = Ask::check(a.tenant, a.runtime.runtime_id, "courses.play")
            .saying(json!({"runtime_id": theirs}))
            .by(&a.runtime);
        two.refuses(body, Code::RuntimeMismatch, "a check's body").await;
        let path = Ask::heartbeat(a.tenant, a.runtime.runtime_id)
            .to(&format!("/kernel/runtimes/{theirs}/heartbeat"))
            .by(&a.runtime);
        two.refuses(path, Code::RuntimeMismatch, "a heartbeat's path").await;
        let inner = json!({"event": event(a.tenant, Some(theirs))});
        let event = Ask::events(a.tenant, a.runtime.runtime_id, inner).by(&a.runtime);
        two.refuses(event, Code::RuntimeMismatch, "an event").await;
    }
}

#[tokio::test]
async fn a_certificate_with_another_tenants_header_is_refused_by_every_call() {
    let two = Two::new().await;
    let (a, b) = (&two.a, &two.b);
    for runtime in [a.through_agent, a.agent.agent_id, b.through_agent] {
        for (at, ask) in calls(b.tenant, runtime).into_iter().enumerate() {
            two.refuses(ask.by_agent(&a.agent), Code::TenantMismatch, &format!("call {at}")).await;
        }
    }
}

#[tokio::test]
async fn a_certificate_in_the_name_of_a_runtime_that_is_not_its_agents_is_refused_by_every_call() {
    let two = Two::new().await;
    let (a, b) = (&two.a, &two.b);
    // One registered by its own token is not the agent's either, though of the same organization.
    for theirs in [b.runtime.runtime_id, b.through_agent, b.agent.agent_id, a.runtime.runtime_id] {
        for (at, ask) in calls(a.tenant, theirs).into_iter().enumerate() {
            two.refuses(ask.by_agent(&a.agent), Code::RuntimeMismatch, &format!("call {at}")).await;
        }
    }
}

#[tokio::test]
async fn two_agents_of_one_organization_do_not_speak_for_each_others_runtimes() {
    let Two { kernel, a, .. } = &Two::new().await;
    let second = kernel.agent(&[a.tenant]).await;
    for ask in calls(a.tenant, a.through_agent) {
        assert_eq!(ask.by_agent(&second).refused(kernel).await, Code::RuntimeMismatch);
    }
}

#[tokio::test]
async fn another_tenants_license_grants_nothing_and_its_quota_is_not_touched() {
    let kernel = Kernel::new().await;
    let (a, b) = (kernel.tenant().await, kernel.tenant().await);
    let rooms = |quota: u64| json!({"entitlements": [{"feature": "live.rooms", "limits": {"quota": quota}}]});
    kernel.license(a, rooms(2));
    let (of_a, of_b) = (kernel.runtime(a).await, kernel.runtime(b).await);
    let check = |runtime: &Runtime| {
        Ask::check(runtime.tenant_id, runtime.runtime_id, "live.rooms").by(runtime)
    };
    let none = check(&of_b).of(&kernel).await.json();
    assert_eq!((&none["allowed"], &none["reason"]), (&json!(false), &json!("license.missing")));

    kernel.license(b, rooms(2));
    assert_eq!(check(&of_a).consuming(2).of(&kernel).await.json()["allowed"], true);
    assert_eq!(check(&of_b).of(&kernel).await.json()["usage"]["remaining"], 2);
}

#[tokio::test]
async fn an_idempotency_key_is_its_runtimes_own() {
    let kernel = Kernel::new().await;
    let (a, b) = (kernel.tenant().await, kernel.tenant().await);
    let mut answers = Vec::new();
    for tenant in [a, b] {
        kernel.license(tenant, json!({}));
        let runtime = kernel.runtime(tenant).await;
        let ask = Ask::check(tenant, runtime.runtime_id, "live.rooms").consuming(3).under_key("k");
        let answer = ask.by(&runtime).of(&kernel).await;
        assert!(!answer.headers.contains_key("idempotency-replayed"));
        answers.push(answer.json());
    }
    assert_ne!(answers[0]["decision_id"], answers[1]["decision_id"]);
}

#[tokio::test]
async fn a_runtime_id_of_another_tenant_can_not_be_taken_over() {
    let Two { kernel, a, b } = &Two::new().await;
    let (fresh, _) = kernel.token(a.tenant, farhold_contract::model::RuntimeType::Courses).await;
    for theirs in [b.runtime.runtime_id, b.through_agent, b.agent.agent_id, a.through_agent] {
        let ask = Ask::register_with(a.tenant, json!({"runtime_id": theirs}));
        assert_eq!(ask.clone().by_token(&fresh).refused(kernel).await, Code::RuntimeIdTaken);
        if theirs != a.through_agent {
            assert_eq!(ask.by_agent(&a.agent).refused(kernel).await, Code::RuntimeIdTaken);
        }
    }
}

#[tokio::test]
async fn one_name_at_two_tenants_providers_is_two_people_and_neither_vouches_for_the_other() {
    let Two { kernel, a, b } = &Two::new().await;
    let (key_a, key_b) = (SigningKey::ed25519(), SigningKey::ed25519());
    // The same issuer string, entered by both, each with its own keys.
    for (side, key) in [(a, &key_a), (b, &key_b)] {
        let entry = crate::issuer::provider_with(side.tenant, &[key.jwk()]);
        let storage = &kernel.plane.storage;
        storage.put_provider(entry, farhold_kernel::storage::no_trail).await.unwrap();
    }
    let resolve = |side: &Side, key: &SigningKey| {
        let token = key.sign(&crate::issuer::claims());
        Ask::resolve(side.tenant, side.runtime.runtime_id, &token).by(&side.runtime)
    };
    assert_eq!(resolve(a, &key_b).refused(kernel).await, Code::IdentityTokenInvalid);
    assert_eq!(resolve(b, &key_a).refused(kernel).await, Code::IdentityTokenInvalid);
    let ana = resolve(a, &key_a).of(kernel).await.json();
    let other_ana = resolve(b, &key_b).of(kernel).await.json();
    assert_ne!(ana["identity"]["identity_id"], other_ana["identity"]["identity_id"]);
    assert_eq!(ana["identity"]["tenant_id"], json!(a.tenant));
    for entitlement in ana["entitlements"].as_array().unwrap() {
        assert_eq!(entitlement["tenant_id"], json!(a.tenant));
    }
}

#[tokio::test]
async fn events_are_found_under_their_own_tenant_alone() {
    let Two { kernel, a, b } = &Two::new().await;
    let sent = json!({"event": event(a.tenant, Some(a.runtime.runtime_id))});
    Ask::events(a.tenant, a.runtime.runtime_id, sent).by(&a.runtime).of(kernel).await.json();
    assert_eq!(kernel.events(a.tenant, "course.completed").await.len(), 1);
    assert_eq!(kernel.events(b.tenant, "course.completed").await, Vec::<Value>::new());
}

#[tokio::test]
async fn whoever_names_another_tenant_is_told_of_once_a_minute_under_its_own() {
    let Two { kernel, a, b } = &Two::new().await;
    let named = |at: usize| match at % 3 {
        0 => Ask::check(a.tenant, a.runtime.runtime_id, "x").for_tenant(b.tenant),
        1 => Ask::check(a.tenant, a.runtime.runtime_id, "x").saying(json!({"tenant_id": b.tenant})),
        _ => Ask::events(
            a.tenant,
            a.runtime.runtime_id,
            json!({"events": [event(b.tenant, None), event(a.tenant, None)]}),
        ),
    };
    for at in 0..9 {
        named(at).by(&a.runtime).of(kernel).await;
    }
    for _ in 0..3 {
        let ask = Ask::heartbeat(b.tenant, b.agent.agent_id).by_agent(&a.agent);
        assert_eq!(ask.refused(kernel).await, Code::TenantMismatch);
    }
    let alerts = kernel.mismatches(a.tenant).await;
    let agents: Vec<_> = alerts.iter().map(|alert| alert.agent).collect();
    assert_eq!(alerts.len(), 2, "one for the token, one for the agent");
    assert!(agents.contains(&None) && agents.contains(&Some(a.agent.agent_id)));
    assert!(alerts.iter().all(|alert| alert.count == 1), "the flood was one write each");
    assert!(kernel.mismatches(b.tenant).await.is_empty(), "b has nothing to answer for");

    kernel.clock.pass(std::time::Duration::from_secs(61));
    named(0).by(&a.runtime).of(kernel).await;
    let again = kernel.mismatches(a.tenant).await;
    assert_eq!(again.len(), 2, "the same incident");
    assert_eq!(again.iter().map(|alert| alert.count).sum::<u64>(), 3);
}

#[tokio::test]
async fn a_stranger_that_names_a_tenant_raises_nothing() {
    let Two { kernel, a, b } = &Two::new().await;
    let ask = Ask::check(a.tenant, a.runtime.runtime_id, "x").for_tenant(b.tenant);
    assert_eq!(ask.by_token("fhr_nobody's").refused(kernel).await, Code::AuthInvalid);
    for tenant in [a.tenant, b.tenant] {
        assert!(kernel.mismatches(tenant).await.is_empty());
    }
}
