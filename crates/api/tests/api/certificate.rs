//! Calls by an agent's client certificate.

use farhold_api::Holder;
use farhold_contract::Code;
use serde_json::{Value, json};

use crate::{
    ask::Ask,
    site::{AGENT, Asked, CERTIFICATE, OTHER_RUNTIME, OTHER_TENANT, RUNTIME, Site},
};

const STRANGERS_TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e09";

fn report() -> Value {
    json!({
        "instance": "00".repeat(16), "revocations": 0, "licenses": [], "runtimes": [],
        "epoch": "11".repeat(16), "seq": 0, "head": "22".repeat(32),
        "mark": "2027-01-01T00:00:00.000Z", "wall": "2027-01-01T00:00:00.000Z",
    })
}

fn reporting() -> Ask {
    Ask::post(
        &format!("/kernel/runtimes/{AGENT}/heartbeat"),
        json!({"status": "healthy", "report": report()}),
    )
    .with("x-runtime-id", AGENT)
    .by_certificate(CERTIFICATE)
}

#[tokio::test]
async fn an_agents_report_is_answered_with_more_than_nothing() {
    let site = Site::new();
    let answer = reporting().of(&site).await.json();
    assert_eq!(answer["status"], "active");
    assert_eq!(answer["server_time"], "2027-01-01T00:00:00Z");
    let Asked::Heartbeat(call, request) = site.only() else { panic!("not a heartbeat") };
    assert_eq!(call.principal.holder, Holder::Agent { agent_id: AGENT.parse().unwrap() });
    assert_eq!(request.report.unwrap().epoch, "11".repeat(16));
}

#[tokio::test]
async fn a_report_has_no_meaning_in_v0_1_or_by_a_token() {
    for ask in
        [reporting().v0_1(), Ask::heartbeat(json!({"status": "healthy", "report": "whatever"}))]
    {
        let site = Site::new();
        assert_eq!(ask.of(&site).await.json(), json!({}));
        let Asked::Heartbeat(_, request) = site.only() else { panic!("not a heartbeat") };
        assert_eq!(request.report, None);
    }
}

#[tokio::test]
async fn a_report_that_is_none_is_refused_by_name() {
    let body = json!({"status": "healthy", "report": {"instance": 7}}).to_string();
    let problem = reporting().body(body).refused().await;
    assert_eq!(problem.code, Code::RequestMalformed);
    assert!(problem.detail.unwrap().contains("report"), "names the member");
}

#[tokio::test]
async fn an_agent_speaks_for_its_runtimes_and_for_every_tenant_of_its_site() {
    let site = Site::new();
    let ask = Ask::check().by_certificate(CERTIFICATE);
    assert_eq!(ask.of(&site).await.status, 200);
    let ask = Ask::register_with(json!({"tenant_id": OTHER_TENANT, "runtime_id": OTHER_RUNTIME}))
        .with("x-tenant-id", OTHER_TENANT)
        .with("x-runtime-id", AGENT)
        .by_certificate(CERTIFICATE);
    assert_eq!(ask.of(&site).await.status, 200, "a runtime that only the agent knows yet");
}

#[tokio::test]
async fn an_agent_speaks_for_nobody_else() {
    let strange = Ask::check().with("x-tenant-id", STRANGERS_TENANT).by_certificate(CERTIFICATE);
    assert_eq!(strange.code().await, Code::TenantMismatch);
    let strange = Ask::check().with("x-runtime-id", OTHER_RUNTIME).by_certificate(CERTIFICATE);
    assert_eq!(strange.code().await, Code::RuntimeMismatch);
}

#[tokio::test]
async fn a_certificate_that_the_kernel_does_not_know_is_refused() {
    let strange = Ask::check().by_certificate(b"another's");
    assert_eq!(strange.code().await, Code::CertificateUnknown);
}

#[tokio::test]
async fn a_token_decides_where_both_are_shown() {
    let both = Ask::check().by_certificate(CERTIFICATE).with("authorization", "Bearer nobody's");
    assert_eq!(both.code().await, Code::AuthInvalid);
    let missing = Ask::check().with("x-runtime-id", RUNTIME).without("authorization");
    assert_eq!(missing.code().await, Code::AuthMissing);
}
