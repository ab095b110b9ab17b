//! Tokens: shown once, listed without themselves, refused once revoked.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use farhold_contract::{Code, Sha256Digest, call::enroll::EnrollToken};

use crate::{stage::Stage, vendor::Vendor};

#[tokio::test]
async fn a_runtime_token_is_shown_once_and_stored_as_its_hash() {
    let stage = Stage::new().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let (token_id, token) = stage.runtime_token(tenant_id).await;
    assert!(token.starts_with("fhr_") && token.len() == 68);
    let holder = |token: &str| {
        let hash = Sha256Digest::new(Sha256::digest(token).into());
        stage.plane.storage.directory().token(&hash)
    };
    assert_eq!(holder(&token).unwrap().token.tenant_id, tenant_id);

    let path = format!("/kernel/admin/tenants/{tenant_id}/runtime-tokens");
    let listed = stage.get(&path).answer().await.ok();
    assert_eq!(listed["tokens"][0]["token_id"], token_id.to_string());
    assert!(!listed.to_string().contains(&token));
    for event in stage.recorded(stage.internal(), "kernel").await {
        assert!(!event.to_string().contains(&token[4..]), "a token is in no event");
    }
    assert_eq!(stage.recorded(tenant_id, "kernel.runtime_token.created").await.len(), 1);

    let other = stage.tenant("Other").await;
    let theirs = format!("/kernel/admin/tenants/{other}/runtime-tokens/{token_id}");
    stage.delete(theirs).answer().await.refused(Code::RequestNotFound);
    assert!(holder(&token).is_some());
    stage.delete(format!("{path}/{token_id}")).answer().await.done();
    assert!(holder(&token).is_none());
    stage.delete(format!("{path}/{token_id}")).answer().await.done();
    let listed = stage.get(&path).answer().await.ok();
    assert!(listed["tokens"][0]["revoked_at"].is_string());
}

#[tokio::test]
async fn a_runtime_token_that_makes_no_sense_is_refused() {
    let stage = Stage::new().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let path = format!("/kernel/admin/tenants/{tenant_id}/runtime-tokens");
    let refused = |body| stage.post(&path, body).answer();
    refused(json!({"runtime_type": "toaster"})).await.refused(Code::RequestMalformed);
    refused(json!({"runtime_type": "labs", "name": null})).await.refused(Code::RequestMalformed);
    let long = json!({"runtime_type": "labs", "name": "x".repeat(129)});
    refused(long).await.refused(Code::UsageInvalid);
    let nobody = "/kernel/admin/tenants/01939b6e-3c5f-7a31-8b53-0f6f1c2dffff/runtime-tokens";
    let body = json!({"runtime_type": "labs"});
    stage.post(nobody, body).answer().await.refused(Code::RequestNotFound);
    assert_eq!(stage.get(&path).answer().await.ok()["tokens"], json!([]));
}

#[tokio::test]
async fn an_enrollment_token_pins_the_ca_and_the_root_in_force() {
    let (stage, vendor) = Vendor::trusted().await;
    let tenants = [stage.tenant("First").await, stage.tenant("Second").await];
    let upload = stage.ask(http::Method::POST, "/kernel/admin/bundles");
    upload.body("application/jsonl", vendor.root(2)).answer().await.ok();
    let asked = json!({"tenants": tenants});
    let created = stage.post("/kernel/admin/enroll-tokens", asked).answer().await.created();
    let text = created["token"].as_str().unwrap();
    let token: EnrollToken = text.parse().unwrap();
    assert_eq!(token.url, stage.plane.config.public_url);
    assert_eq!(token.ca_sha256, stage.plane.authority.anchor_sha256());
    assert_eq!(token.root_sha256, vendor.root_sha256(2), "the newest, not the first");

    let listed = stage.get("/kernel/admin/enroll-tokens").answer().await.ok();
    assert_eq!(listed["tokens"][0]["tenants"], json!(tenants));
    assert!(!listed.to_string().contains(&token.secret));
    for tenant_id in tenants {
        let left = stage.recorded(tenant_id, "kernel.enroll_token.created").await;
        assert_eq!(left.len(), 1);
        assert!(!left[0].to_string().contains(&token.secret));
    }
    let id = created["token_id"].as_str().unwrap();
    stage.delete(format!("/kernel/admin/enroll-tokens/{id}")).answer().await.done();
    let listed = stage.get("/kernel/admin/enroll-tokens").answer().await.ok();
    assert!(listed["tokens"][0]["revoked_at"].is_string());
}

#[tokio::test]
async fn an_enrollment_token_needs_a_root_and_known_tenants() {
    let stage = Stage::new().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let asked = json!({"tenants": [tenant_id]});
    let created = stage.post("/kernel/admin/enroll-tokens", asked).answer().await;
    created.refused(Code::TrustMissing);

    let (stage, _vendor) = Vendor::trusted().await;
    let tenant_id = stage.tenant("Acme Sur").await;
    let nobody = "01939b6e-3c5f-7a31-8b53-0f6f1c2dffff";
    let create = |tenants: Value| {
        stage.post("/kernel/admin/enroll-tokens", json!({"tenants": tenants})).answer()
    };
    create(json!([tenant_id, nobody])).await.refused(Code::RequestNotFound);
    create(json!([tenant_id, tenant_id])).await.refused(Code::UsageInvalid);
    create(json!([])).await.refused(Code::UsageInvalid);
    create(json!([stage.internal()])).await.refused(Code::UsageInvalid);
    let listed = stage.get("/kernel/admin/enroll-tokens").answer().await.ok();
    assert_eq!(listed["tokens"], json!([]));
}
