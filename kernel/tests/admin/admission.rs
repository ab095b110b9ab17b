//! Who may ask at all: the tenant of the administration, in the contract's way, and nobody else.

use farhold_contract::Code;
use http::Method;

use crate::{every_call::calls, stage::Stage, vendor::Vendor};

#[tokio::test]
async fn a_call_without_one_of_the_contracts_headers_is_refused_by_its_code() {
    let stage = Stage::new().await;
    let status = stage.get("/kernel/admin/status");
    for (header, code) in [
        ("x-contract-version", Code::ContractVersionMissing),
        ("x-correlation-id", Code::CorrelationMissing),
        ("authorization", Code::AuthMissing),
        ("x-tenant-id", Code::TenantMissing),
    ] {
        status.clone().without(header).answer().await.refused(code);
    }
    let with = |name: &str, value: &str| status.clone().with(name, value).answer();
    with("authorization", "Bearer fhr_unknown").await.refused(Code::AuthInvalid);
    with("x-contract-version", "v0.9").await.refused(Code::ContractUnsupportedVersion);
    with("x-contract-version", "v0.1").await.refused(Code::ContractUnsupportedVersion);
    let answer = status.answer().await;
    assert_eq!(answer.headers["x-correlation-id"], "stage-1");
    answer.ok();
}

#[tokio::test]
async fn another_tenants_token_governs_nothing_and_is_seen() {
    let (stage, _vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let (token_id, token) = stage.runtime_token(tenant_id).await;
    for call in calls(&stage).await {
        let theirs = call.ask.clone().bearing(tenant_id, &token);
        theirs.answer().await.refused(Code::TenantMismatch);
        let posing = call.ask.bearing(stage.internal(), &token);
        posing.answer().await.refused(Code::TenantMismatch);
    }
    let path = format!("/kernel/admin/alerts?tenant_id={tenant_id}");
    let alerts = stage.get(path).answer().await.ok();
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1, "one incident, counted: {alerts}");
    assert_eq!(alerts["alerts"][0]["code"], "tenant.mismatch");
    assert_eq!(alerts["alerts"][0]["detail"]["token_id"], token_id.to_string());
}

#[tokio::test]
async fn another_administrators_token_is_as_good_until_it_is_revoked() {
    let stage = Stage::new().await;
    let (token_id, token) = stage.runtime_token(stage.internal()).await;
    let status = stage.get("/kernel/admin/status").bearing(stage.internal(), &token);
    status.clone().answer().await.ok();
    let seen = stage.recorded(stage.internal(), "kernel.admin.status.show").await;
    assert_eq!(seen[0]["actor_id"], token_id.to_string(), "who did it is told apart");
    let path = format!("/kernel/admin/tenants/{}/runtime-tokens/{token_id}", stage.internal());
    let own = stage.delete(&path).bearing(stage.internal(), &token);
    own.answer().await.refused(Code::UsageInvalid);
    stage.delete(path).answer().await.done();
    status.answer().await.refused(Code::AuthInvalid);
}

#[tokio::test]
async fn what_is_no_route_is_not_found_and_a_wrong_method_says_so() {
    let stage = Stage::new().await;
    for path in ["/", "/kernel/admin", "/kernel/admin/tenants/", "/kernel/audit/events"] {
        stage.get(path).answer().await.refused(Code::RequestNotFound);
    }
    let answer = stage.ask(Method::PATCH, "/kernel/admin/tenants").answer().await;
    assert!(answer.headers["allow"].to_str().unwrap().contains("POST"));
    answer.refused(Code::RequestMethod);
}
