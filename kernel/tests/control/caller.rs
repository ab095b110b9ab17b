//! Who is calling: tokens and certificates, known, unknown and no longer known.

use serde_json::json;

use farhold_contract::{Code, model::RuntimeType};

use crate::{
    ask::Ask,
    kernel::{Agent, Kernel},
};

#[tokio::test]
async fn a_call_without_credentials_is_told_so() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    assert_eq!(Ask::register(tenant).refused(&kernel).await, Code::AuthMissing);
    assert_eq!(Ask::versions().for_tenant(tenant).refused(&kernel).await, Code::AuthMissing);
}

#[tokio::test]
async fn a_token_is_good_until_it_is_revoked() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let runtime = kernel.runtime(tenant).await;
    let ask = Ask::heartbeat(tenant, runtime.runtime_id);
    assert_eq!(ask.clone().by(&runtime).of(&kernel).await.status, 200);
    for unknown in ["fhr_00", "x", &runtime.token[1..], &runtime.token.to_uppercase()] {
        assert_eq!(ask.clone().by_token(unknown).refused(&kernel).await, Code::AuthInvalid);
    }
    let now = kernel.plane.now();
    let revoking = kernel.plane.storage.revoke_runtime_token(
        tenant,
        runtime.token_id,
        now,
        farhold_kernel::storage::no_trail,
    );
    revoking.await.unwrap();
    assert_eq!(ask.by(&runtime).refused(&kernel).await, Code::AuthInvalid);
}

#[tokio::test]
async fn a_token_that_has_not_registered_can_register_and_ask_for_versions_only() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let (token, _) = kernel.token(tenant, RuntimeType::Courses).await;
    let stranger = kernel.plane.new_id();
    for ask in [
        Ask::heartbeat(tenant, stranger),
        Ask::check(tenant, stranger, "courses.play"),
        Ask::resolve(tenant, stranger, "x"),
        Ask::events(tenant, stranger, json!({"events": []})),
    ] {
        assert_eq!(ask.by_token(&token).refused(&kernel).await, Code::RuntimeNotRegistered);
    }
    let versions = Ask::versions().for_tenant(tenant).by_token(&token).of(&kernel).await.json();
    assert_eq!(versions, json!({"versions": ["v0.1", "v0.2"]}));
    assert_eq!(Ask::register(tenant).by_token(&token).of(&kernel).await.status, 200);
}

#[tokio::test]
async fn an_agent_speaks_for_itself_and_its_runtimes_in_every_tenant_of_its_site() {
    let kernel = Kernel::new().await;
    let (own, other) = (kernel.tenant().await, kernel.tenant().await);
    let agent = kernel.agent(&[own, other]).await;
    for tenant in [own, other] {
        kernel.license(tenant, json!({}));
        let runtime = kernel.runtime_of(&agent, tenant).await;
        let check = Ask::check(tenant, runtime, "courses.play").by_agent(&agent);
        assert_eq!(check.of(&kernel).await.json()["allowed"], true);
        let heartbeat = Ask::heartbeat(tenant, agent.agent_id).by_agent(&agent);
        assert_eq!(heartbeat.of(&kernel).await.json(), json!({}), "without a report");
    }
}

#[tokio::test]
async fn only_the_present_certificate_and_the_one_before_are_known() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let first = kernel.agent(&[tenant]).await;
    let second = kernel.certified(&first).await;
    let heartbeat = |agent: &Agent| Ask::heartbeat(tenant, agent.agent_id).by_agent(agent);
    for known in [&first, &second] {
        assert_eq!(heartbeat(known).of(&kernel).await.status, 200);
    }
    let third = kernel.certified(&second).await;
    assert_eq!(heartbeat(&first).refused(&kernel).await, Code::CertificateUnknown);
    for known in [&second, &third] {
        assert_eq!(heartbeat(known).of(&kernel).await.status, 200);
    }
}

#[tokio::test]
async fn a_certificate_counts_only_as_this_kernel_issued_and_noted_it() {
    let kernel = Kernel::new().await;
    let (tenant, other) = (kernel.tenant().await, kernel.tenant().await);
    let agent = kernel.agent(&[tenant, other]).await;
    let abroad = Kernel::new().await;
    for strange in [
        // Of our CA, but never handed out.
        kernel.issued(tenant, agent.agent_id),
        // Of our CA, under a tenant of the site that is not the agent's own.
        kernel.issued(other, agent.agent_id),
        // For nobody we know.
        kernel.issued(tenant, kernel.plane.new_id()),
        // Of another Kernel's CA: the handshake would refuse it; so do we.
        abroad.issued(tenant, agent.agent_id),
        // No certificate.
        b"certificate".to_vec(),
    ] {
        let ask = Ask::heartbeat(tenant, agent.agent_id).by_certificate(&strange);
        assert_eq!(ask.refused(&kernel).await, Code::CertificateUnknown);
    }
}

#[tokio::test]
async fn a_token_decides_where_a_certificate_comes_with_it() {
    let kernel = Kernel::new().await;
    let tenant = kernel.tenant().await;
    let agent = kernel.agent(&[tenant]).await;
    let ask = Ask::heartbeat(tenant, agent.agent_id).by_agent(&agent).by_token("fhr_nobody's");
    assert_eq!(ask.refused(&kernel).await, Code::AuthInvalid);
}
