//! `POST /kernel/runtimes/{runtime_id}/heartbeat`

use farhold_contract::Code;
use serde_json::json;

use crate::{
    ask::Ask,
    site::{Asked, OTHER_RUNTIME, RUNTIME, Site},
};

#[tokio::test]
async fn a_heartbeat_is_answered_with_an_empty_object_in_both_versions() {
    for ask in [Ask::heartbeat(json!({"status": "healthy"})).v0_1(), degraded()] {
        assert_eq!(ask.of(&Site::new()).await.json(), json!({}));
    }
}

#[tokio::test]
async fn figures_reach_the_kernel() {
    let site = Site::new();
    degraded().of(&site).await;
    let Asked::Heartbeat(_, request) = site.only() else { panic!("not a heartbeat") };
    assert_eq!(request.metrics.unwrap()["users"], 12.0);
}

#[tokio::test]
async fn a_path_naming_another_runtime_is_refused() {
    let path = format!("/kernel/runtimes/{OTHER_RUNTIME}/heartbeat");
    assert_eq!(degraded().path(&path).code().await, Code::RuntimeMismatch);
}

#[tokio::test]
async fn a_path_whose_runtime_is_no_id_is_refused() {
    for segment in ["x", "f47ac10b-58cc-4372-a567-0e02b2c3d479", &RUNTIME.to_uppercase()] {
        let path = format!("/kernel/runtimes/{segment}/heartbeat");
        assert_eq!(degraded().path(&path).code().await, Code::RequestMalformed, "{segment}");
    }
}

#[tokio::test]
async fn a_path_trick_in_place_of_the_runtime_is_not_found() {
    for segment in ["", ".", "..", "%2e%2e", "%2f", &RUNTIME.replacen('0', "%30", 1)] {
        let path = format!("/kernel/runtimes/{segment}/heartbeat");
        assert_eq!(degraded().path(&path).code().await, Code::RequestNotFound, "{segment}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_the_contracts_is_refused() {
    for bad in [
        json!({}),
        json!({"status": "well"}),
        json!({"status": "healthy", "metrics": null}),
        json!({"status": "healthy", "metrics": {"users": "many"}}),
    ] {
        let code = Ask::heartbeat(bad.clone()).code().await;
        assert_eq!(code, Code::RequestMalformed, "{bad}");
    }
}

fn degraded() -> Ask {
    Ask::heartbeat(json!({"status": "degraded", "metrics": {"users": 12}}))
}
