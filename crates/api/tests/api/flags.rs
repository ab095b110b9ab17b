//! `GET /kernel/flags`

use farhold_api::Holder;
use farhold_contract::{Code, header};
use http::Method;
use serde_json::json;

use crate::{
    ask::Ask,
    site::{Asked, CERTIFICATE, FRESH_TOKEN, OTHER_RUNTIME, OTHER_TENANT, RUNTIME, Site},
};

fn ask() -> Ask {
    Ask::check().method(Method::GET).path("/kernel/flags").body("").without("content-type")
}

#[tokio::test]
async fn a_runtime_is_told_its_flags_under_a_tag() {
    let site = Site::new();
    let answer = ask().of(&site).await;
    assert_eq!(
        answer.json(),
        json!({"flags": [
            {"product": "campus", "key": "live", "value": false},
            {"product": "campus", "key": "theme", "value": ""},
        ]})
    );
    let tag = answer.header("etag").unwrap();
    assert!(tag.len() == 66 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let Asked::Flags(call) = site.only() else { panic!("not flags") };
    assert_eq!(call.runtime_id, Some(RUNTIME.parse().unwrap()));
}

#[tokio::test]
async fn who_has_them_is_told_so_until_one_changes() {
    let site = Site::new();
    let first = ask().of(&site).await;
    let tag = first.header("etag").unwrap();
    let again = ask().with("if-none-match", tag).of(&site).await;
    assert_eq!((again.status, again.header("etag")), (304, Some(tag)));
    assert!(again.body.is_empty());
    assert_eq!(again.header("x-correlation-id"), first.header("x-correlation-id"));

    *site.theme.lock().unwrap() = "dark".to_owned();
    let changed = ask().with("if-none-match", tag).of(&site).await;
    assert_eq!(changed.json()["flags"][1]["value"], "dark");
    assert_ne!(changed.header("etag"), Some(tag));
}

#[tokio::test]
async fn v0_1_does_not_have_the_call() {
    let problem = ask().v0_1().refused().await;
    assert_eq!(problem.code, Code::ContractUnsupportedVersion);
    assert!(problem.detail.unwrap().contains("v0.2"), "it says which contract has");
}

#[tokio::test]
async fn only_a_registered_runtime_may_ask_and_for_itself_alone() {
    assert_eq!(ask().without(header::AUTHORIZATION).code().await, Code::AuthMissing);
    assert_eq!(ask().without(header::RUNTIME_ID).code().await, Code::RuntimeMissing);
    assert_eq!(ask().with(header::TENANT_ID, OTHER_TENANT).code().await, Code::TenantMismatch);
    assert_eq!(ask().with(header::RUNTIME_ID, OTHER_RUNTIME).code().await, Code::RuntimeMismatch);
    let fresh = ask().with(header::AUTHORIZATION, &format!("Bearer {FRESH_TOKEN}"));
    assert_eq!(fresh.code().await, Code::RuntimeNotRegistered);
}

#[tokio::test]
async fn an_agent_asks_for_its_runtime() {
    let site = Site::new();
    assert_eq!(ask().by_certificate(CERTIFICATE).of(&site).await.status, 200);
    let Asked::Flags(call) = site.only() else { panic!("not flags") };
    assert!(matches!(call.principal.holder, Holder::Agent { .. }));
    assert_eq!(call.runtime_id, Some(RUNTIME.parse().unwrap()));
}
