//! `GET /kernel/contract`

use farhold_contract::{Code, header};
use http::Method;
use serde_json::json;

use crate::{
    ask::Ask,
    site::{FRESH_TOKEN, Site},
};

fn ask() -> Ask {
    Ask::check().method(Method::GET).path("/kernel/contract").body("").without("content-type")
}

#[tokio::test]
async fn the_versions_spoken_are_told() {
    let answer = ask().of(&Site::new()).await;
    assert_eq!(answer.json(), json!({"versions": ["v0.1", "v0.2"]}));
}

#[tokio::test]
async fn a_runtime_may_ask_before_it_registers() {
    let fresh = ask().with(header::AUTHORIZATION, &format!("Bearer {FRESH_TOKEN}"));
    assert_eq!(fresh.without(header::RUNTIME_ID).of(&Site::new()).await.status, 200);
}

#[tokio::test]
async fn nobody_may_ask_without_a_token() {
    assert_eq!(ask().without(header::AUTHORIZATION).code().await, Code::AuthMissing);
}
