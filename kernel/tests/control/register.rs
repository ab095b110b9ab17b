//! Registration: a token is one runtime; an agent's runtimes keep the ids it minted.

use serde_json::json;

use farhold_contract::{Code, id::RuntimeId, model::RuntimeType};

use crate::{ask::Ask, kernel::Kernel};

#[tokio::test]
async fn a_runtime_registers_and_is_given_what_the_contract_says() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let (token, _) = kernel.token(tenant, RuntimeType::Courses).await;
    for version in ["v0.1", "v0.2"] {
        let ask = Ask::register(tenant).by_token(&token).with("x-contract-version", version);
        let answer = ask.of(&kernel).await.json();
        assert!(answer["runtime_id"].as_str().unwrap().parse::<RuntimeId>().is_ok());
        assert_eq!(answer["status"], "registered");
        assert_eq!(answer["policies_applied"], json!({"security_level": "standard"}));
        assert_eq!(answer.as_object().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn the_kernel_is_the_authority_and_asks_for_no_license_to_register() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let runtime = kernel.runtime(tenant).await;
    let check = Ask::check(tenant, runtime.runtime_id, "courses.play").by(&runtime);
    assert_eq!(check.of(&kernel).await.json()["reason"], "license.missing");
}

#[tokio::test]
async fn one_token_is_one_runtime_for_ever() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let runtime = kernel.runtime(tenant).await;
    let again = Ask::register_with(tenant, json!({"version": "1.5.0"})).by(&runtime);
    let answer = again.of(&kernel).await.json();
    assert_eq!(answer["runtime_id"], json!(runtime.runtime_id));
    let facts = kernel.plane.storage.directory().runtime(tenant, runtime.runtime_id).unwrap();
    assert_eq!(facts.version, "1.5.0", "the new version is taken over");
    let other: RuntimeId = kernel.plane.new_id();
    let other = Ask::register_with(tenant, json!({"runtime_id": other})).by(&runtime);
    assert_eq!(other.refused(&kernel).await, Code::RuntimeMismatch);
}

#[tokio::test]
async fn two_first_registrations_at_once_are_one_runtime() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let (token, _) = kernel.token(tenant, RuntimeType::Courses).await;
    let ids: [RuntimeId; 2] = [kernel.plane.new_id(), kernel.plane.new_id()];
    let ask = |id| Ask::register_with(tenant, json!({"runtime_id": id})).by_token(&token);
    let (one, other) = tokio::join!(ask(ids[0]).of(&kernel), ask(ids[1]).of(&kernel));
    assert_eq!(one.json()["runtime_id"], json!(ids[0]));
    assert_eq!(
        other.problem().code,
        Code::RuntimeIdTaken,
        "never another id than the one asked for"
    );

    let (token, _) = kernel.token(tenant, RuntimeType::Courses).await;
    let ask = || Ask::register(tenant).by_token(&token);
    let (one, other) = tokio::join!(ask().of(&kernel), ask().of(&kernel));
    assert_eq!(one.json()["runtime_id"], other.json()["runtime_id"]);
}

#[tokio::test]
async fn a_runtimes_own_id_is_adopted() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let (token, _) = kernel.token(tenant, RuntimeType::Courses).await;
    let minted: RuntimeId = kernel.plane.new_id();
    let ask = Ask::register_with(tenant, json!({"runtime_id": minted})).by_token(&token);
    assert_eq!(ask.of(&kernel).await.json()["runtime_id"], json!(minted));
    // In v0.1 the member has no meaning.
    let (token, _) = kernel.token(tenant, RuntimeType::Courses).await;
    let ask = Ask::register_with(tenant, json!({"runtime_id": minted})).by_token(&token).v0_1();
    assert_ne!(ask.of(&kernel).await.json()["runtime_id"], json!(minted));
}

#[tokio::test]
async fn a_token_is_for_its_type_of_runtime() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let (token, _) = kernel.token(tenant, RuntimeType::Labs).await;
    assert_eq!(
        Ask::register(tenant).by_token(&token).refused(&kernel).await,
        Code::RuntimeMismatch
    );
}

#[tokio::test]
async fn an_agents_runtime_keeps_the_id_it_was_given_while_the_kernel_was_away() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let agent = kernel.agent(&[tenant]).await;
    let minted: RuntimeId = kernel.plane.new_id();
    let register = |members| {
        let members = crate::register::with_id(members, minted);
        Ask::register_with(tenant, members).by_agent(&agent)
    };
    for version in ["1.4.0", "1.4.0", "1.5.0"] {
        let answer = register(json!({"version": version})).of(&kernel).await.json();
        assert_eq!(answer["runtime_id"], json!(minted));
    }
    let told = kernel.events(tenant, "kernel.runtime.registered").await;
    let versions: Vec<_> = told.iter().map(|event| &event["payload"]["version"]).collect();
    assert_eq!(versions, ["1.4.0", "1.5.0"], "only what changed is told");
    assert_eq!(told[0]["payload"]["agent"], json!(agent.agent_id));
    assert_eq!(told[0]["correlation_id"], "c-42");
    let other_type = register(json!({"runtime_type": "labs"}));
    assert_eq!(other_type.refused(&kernel).await, Code::RuntimeMismatch);
}

#[tokio::test]
async fn an_agent_that_gives_no_id_is_given_none() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let agent = kernel.agent(&[tenant]).await;
    for ask in [Ask::register(tenant), Ask::register(tenant).v0_1()] {
        assert_eq!(ask.by_agent(&agent).refused(&kernel).await, Code::RequestMalformed);
    }
    // One that is known may be named by the header alone, as v0.1 would.
    let runtime = kernel.runtime_of(&agent, tenant).await;
    let known = Ask::register(tenant).with("x-runtime-id", &runtime.to_string()).by_agent(&agent);
    assert_eq!(known.of(&kernel).await.json()["runtime_id"], json!(runtime));
}

#[tokio::test]
async fn an_agent_is_no_runtime_and_takes_none_of_another() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let (agent, other) = (kernel.agent(&[tenant]).await, kernel.agent(&[tenant]).await);
    let theirs = kernel.runtime_of(&other, tenant).await;
    let tokens = kernel.runtime(tenant).await.runtime_id;
    for taken in [agent.agent_id, other.agent_id, theirs, tokens] {
        let ask = Ask::register_with(tenant, json!({"runtime_id": taken})).by_agent(&agent);
        assert_eq!(ask.refused(&kernel).await, Code::RuntimeIdTaken);
    }
}

#[tokio::test]
async fn a_runtime_of_one_tenant_of_a_site_is_not_another_tenants() {
    let kernel = Kernel::new().await;
    let (a, b) = (kernel.tenant().await, kernel.tenant().await);
    let agent = kernel.agent(&[a, b]).await;
    let runtime = kernel.runtime_of(&agent, a).await;
    let moved = Ask::register_with(b, json!({"runtime_id": runtime})).by_agent(&agent);
    assert_eq!(moved.refused(&kernel).await, Code::RuntimeIdTaken);
    let check = Ask::check(b, runtime, "courses.play").by_agent(&agent);
    assert_eq!(check.refused(&kernel).await, Code::RuntimeMismatch);
}

fn with_id(mut members: serde_json::Value, runtime_id: RuntimeId) -> serde_json::Value {
    members["runtime_id"] = json!(runtime_id);
    members
}
