//! `POST /kernel/identity/resolve`

use farhold_contract::Code;
use serde_json::json;

use crate::{
    ask::Ask,
    site::{Asked, OTHER_TENANT, Site, TENANT},
};

#[tokio::test]
async fn a_token_becomes_an_identity() {
    let site = Site::new();
    let body = json!({"tenant_id": TENANT, "external_token": "ey.x.y"});
    let answer = Ask::post("/kernel/identity/resolve", body).v0_1().of(&site).await.json();
    assert_eq!(answer["identity"]["external_id"], "anna");
    assert_eq!(answer["entitlements"], json!([]));
    let Asked::Resolve(_, token) = site.only() else { panic!("not a resolve") };
    assert_eq!(token, "ey.x.y");
}

#[tokio::test]
async fn a_body_naming_another_tenant_is_refused() {
    let body = json!({"tenant_id": OTHER_TENANT, "external_token": "ey.x.y"});
    assert_eq!(Ask::post("/kernel/identity/resolve", body).code().await, Code::TenantMismatch);
}

#[tokio::test]
async fn a_refused_body_is_never_quoted() {
    let body = json!({"tenant_id": "canary-1", "external_token": {"canary-2": "canary-3"}});
    let problem = Ask::post("/kernel/identity/resolve", body).refused().await;
    assert_eq!(problem.code, Code::RequestMalformed);
    assert!(!problem.detail.unwrap().contains("canary"));
}
