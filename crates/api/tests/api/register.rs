//! `POST /kernel/runtimes/register`

use farhold_contract::{Code, call::register::RegisterRequest, header};
use serde_json::json;

use crate::{
    ask::Ask,
    site::{Asked, OTHER_RUNTIME, OTHER_TENANT, RUNTIME, Site, TOKEN},
};

#[tokio::test]
async fn a_runtime_registers_without_naming_itself() {
    let answer = Ask::register_with(json!({})).v0_1().of(&Site::new()).await;
    assert_eq!(
        answer.json(),
        json!({
            "runtime_id": RUNTIME, "status": "registered",
            "policies_applied": {"security_level": "standard"},
        })
    );
}

#[tokio::test]
async fn a_registered_runtime_registers_again_with_or_without_its_header() {
    let token = format!("Bearer {TOKEN}");
    let again = || Ask::register_with(json!({})).with(header::AUTHORIZATION, &token);
    for ask in [again(), again().with(header::RUNTIME_ID, RUNTIME)] {
        let site = Site::new();
        assert_eq!(ask.of(&site).await.status, 200);
        let Asked::Register(call, _) = site.only() else { panic!("not a registration") };
        assert_eq!(call.runtime_id.unwrap().to_string(), RUNTIME);
    }
    let other = again().with(header::RUNTIME_ID, OTHER_RUNTIME).code().await;
    assert_eq!(other, Code::RuntimeMismatch);
}

#[tokio::test]
async fn an_agent_registers_a_runtime_under_the_id_it_minted() {
    let request = registered(Ask::register_with(
        json!({"runtime_id": OTHER_RUNTIME, "released_on": "2027-01-31"}),
    ))
    .await;
    assert_eq!(request.runtime_id.unwrap().to_string(), OTHER_RUNTIME);
    assert_eq!(request.released_on.unwrap().to_string(), "2027-01-31");
}

#[tokio::test]
async fn in_v0_1_the_members_of_v0_2_have_no_meaning_and_no_form() {
    let ask = Ask::register_with(json!({"runtime_id": 7, "released_on": null})).v0_1();
    let request = registered(ask).await;
    assert_eq!((request.runtime_id, request.released_on), (None, None));
}

#[tokio::test]
async fn a_body_naming_another_tenant_is_refused() {
    let code = Ask::register_with(json!({"tenant_id": OTHER_TENANT})).code().await;
    assert_eq!(code, Code::TenantMismatch);
}

#[tokio::test]
async fn a_body_naming_another_runtime_than_token_or_header_is_refused() {
    let named = || Ask::register_with(json!({"runtime_id": OTHER_RUNTIME}));
    let token = format!("Bearer {TOKEN}");
    assert_eq!(named().with(header::AUTHORIZATION, &token).code().await, Code::RuntimeMismatch);
    assert_eq!(named().with(header::RUNTIME_ID, RUNTIME).code().await, Code::RuntimeMismatch);
    let agreed = named().with(header::RUNTIME_ID, OTHER_RUNTIME);
    assert_eq!(agreed.of(&Site::new()).await.status, 200);
}

#[tokio::test]
async fn a_header_on_a_first_registration_needs_the_body_to_agree() {
    let code = Ask::register_with(json!({})).with(header::RUNTIME_ID, RUNTIME).code().await;
    assert_eq!(code, Code::RuntimeMismatch);
    let code = Ask::register_with(json!({})).with(header::RUNTIME_ID, "x").code().await;
    assert_eq!(code, Code::RuntimeMissing);
}

#[tokio::test]
async fn a_body_that_is_not_the_contracts_is_refused() {
    for bad in [
        json!({"runtime_type": "robot"}),
        json!({"deployment_mode": "cloud"}),
        json!({"version": 1}),
        json!({"version": "1".repeat(257)}),
        json!({"capabilities": null}),
        json!({"capabilities": ["x".repeat(257)]}),
        json!({"runtime_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479"}),
        json!({"runtime_id": null}),
        json!({"released_on": "2027-02-29"}),
        json!({"released_on": "31.01.2027"}),
    ] {
        let code = Ask::register_with(bad.clone()).code().await;
        assert_eq!(code, Code::RequestMalformed, "{bad}");
    }
}

async fn registered(ask: Ask) -> RegisterRequest {
    let site = Site::new();
    assert_eq!(ask.of(&site).await.status, 200);
    match site.only() {
        Asked::Register(_, request) => request,
        other => panic!("{other:?}"),
    }
}
