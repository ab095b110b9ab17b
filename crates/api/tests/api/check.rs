//! `POST /kernel/entitlements/check`

use farhold_contract::{Code, header};
use serde_json::json;

use crate::{
    ask::Ask,
    site::{Asked, OTHER_RUNTIME, OTHER_TENANT, RUNTIME, Site, TENANT},
};

#[tokio::test]
async fn a_v0_1_caller_sees_allowed_and_limits_alone() {
    let answer = Ask::check().v0_1().of(&Site::new()).await;
    assert_eq!(
        answer.json(),
        json!({"allowed": true, "limits": {"quota": 10, "time_window": "P1D"}})
    );
}

#[tokio::test]
async fn a_v0_2_caller_sees_the_whole_decision() {
    let answer = Ask::check().of(&Site::new()).await.json();
    assert_eq!(answer["mode"], "offline");
    assert_eq!(answer["usage"], json!({"used": 1, "remaining": 9}));
    assert!(answer["decision_id"].is_string());
}

#[tokio::test]
async fn a_body_naming_another_tenant_is_refused() {
    let code = Ask::check_with(json!({"tenant_id": OTHER_TENANT})).code().await;
    assert_eq!(code, Code::TenantMismatch);
}

#[tokio::test]
async fn a_body_naming_another_runtime_is_refused() {
    let code = Ask::check_with(json!({"runtime_id": OTHER_RUNTIME})).code().await;
    assert_eq!(code, Code::RuntimeMismatch);
}

#[tokio::test]
async fn a_body_that_is_not_the_contracts_is_refused() {
    let whole =
        format!(r#"{{"tenant_id":"{TENANT}","runtime_id":"{RUNTIME}","feature":"courses.play"}}"#);
    let twice = whole.replace("\"feature\"", "\"feature\":\"other\",\"feature\"");
    let list = format!(r#"["{TENANT}","{RUNTIME}","courses.play"]"#);
    let without = whole.replace("feature", "features");
    let more = format!("{whole}{whole}");
    let deep = whole.replace("\"courses.play\"", &"[".repeat(10_000));
    for body in ["", "null", "{", "\u{feff}{}", &twice, &list, &without, &more, &deep, &whole[..60]]
    {
        assert_eq!(Ask::check().body(body).code().await, Code::RequestMalformed, "{body}");
    }
    assert_eq!(Ask::check().body(format!("\r\n {whole} \n")).of(&Site::new()).await.status, 200);
}

#[tokio::test]
async fn a_feature_longer_than_a_license_can_name_is_refused() {
    let longest = Ask::check_with(json!({"feature": "x".repeat(256)}));
    assert_eq!(longest.of(&Site::new()).await.status, 200);
    let longer = Ask::check_with(json!({"feature": "x".repeat(257)}));
    assert_eq!(longer.code().await, Code::RequestMalformed);
}

#[tokio::test]
async fn consume_is_a_whole_number_from_one_to_the_largest_exact_one() {
    let largest: u64 = (1 << 53) - 1;
    for good in [json!(1), json!(largest)] {
        let site = Site::new();
        let ask = Ask::check_with(json!({"context": {"consume": good, "course": "c1"}}));
        assert_eq!(ask.of(&site).await.status, 200);
        let Asked::Check(_, question) = site.only() else { panic!("not a check") };
        let context = question.request.context.unwrap();
        assert_eq!(json!(context.consume), good);
        assert_eq!(context.other["course"], "c1");
        assert_eq!(question.idempotency, None);
    }
    let bad =
        [json!(0), json!(-1), json!(largest + 1), json!(1.5), json!("1"), json!(null), json!([1])];
    for bad in bad {
        let code = Ask::check_with(json!({"context": {"consume": bad}})).code().await;
        assert_eq!(code, Code::RequestMalformed, "{bad}");
    }
    for bad in [json!(null), json!([]), json!("x"), json!(1)] {
        let code = Ask::check_with(json!({"context": bad})).code().await;
        assert_eq!(code, Code::RequestMalformed, "{bad}");
    }
}

#[tokio::test]
async fn in_v0_1_consume_has_no_meaning_and_no_form() {
    for consume in [json!(1), json!(-1), json!("some"), json!(null)] {
        let site = Site::new();
        let ask = Ask::check_with(json!({"context": {"consume": consume}})).v0_1();
        assert_eq!(ask.of(&site).await.status, 200);
        let Asked::Check(_, question) = site.only() else { panic!("not a check") };
        assert_eq!(question.request.context, None);
    }
}

#[tokio::test]
async fn an_idempotency_key_comes_with_the_hash_of_the_body_as_sent() {
    let site = Site::new();
    let body = format!(
        r#"{{"context":{{"consume":1}},"tenant_id":"{TENANT}","runtime_id":"{RUNTIME}","feature":"f"}}"#
    );
    let ask = Ask::check().body(body).with(header::IDEMPOTENCY_KEY, "k-1");
    assert_eq!(ask.of(&site).await.status, 200);
    let Asked::Check(_, question) = site.only() else { panic!("not a check") };
    let idempotency = question.idempotency.unwrap();
    assert_eq!(idempotency.key.as_str(), "k-1");
    // sha256sum of those bytes.
    assert_eq!(
        idempotency.body_sha256.to_string(),
        "bc55661361f66586f02817802589c8370c94d8906648e0560aa72d3ba3d3e56a"
    );
}

#[tokio::test]
async fn an_idempotency_key_that_cannot_be_used_is_refused() {
    let consuming = || Ask::check_with(json!({"context": {"consume": 1}}));
    for bad in ["", "a b", &"k".repeat(65)] {
        let code = consuming().with(header::IDEMPOTENCY_KEY, bad).code().await;
        assert_eq!(code, Code::IdempotencyKeyInvalid, "{bad}");
    }
    let twice =
        consuming().with(header::IDEMPOTENCY_KEY, "k").with_another(header::IDEMPOTENCY_KEY, "k");
    assert_eq!(twice.code().await, Code::IdempotencyKeyInvalid);
    let longest = consuming().with(header::IDEMPOTENCY_KEY, &"k".repeat(64));
    assert_eq!(longest.of(&Site::new()).await.status, 200);
}

#[tokio::test]
async fn an_idempotency_key_without_a_consumption_is_refused() {
    let looking = Ask::check().with(header::IDEMPOTENCY_KEY, "k");
    assert_eq!(looking.code().await, Code::IdempotencyKeyInvalid);
}

#[tokio::test]
async fn v0_1_gives_an_idempotency_key_no_meaning() {
    let old = Ask::check_with(json!({"context": {"consume": 1}})).v0_1();
    let answer = old.with(header::IDEMPOTENCY_KEY, "a b").of(&Site::new()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_stored_answer_is_returned_byte_for_byte_and_says_when_it_is_a_replay() {
    for (feature, replayed) in [("stored", None), ("replayed", Some("true"))] {
        let answer = Ask::check_with(json!({"feature": feature, "context": {"consume": 1}}))
            .with(header::IDEMPOTENCY_KEY, "k")
            .of(&Site::new())
            .await;
        assert_eq!(answer.body, br#"{"allowed" :true}"#);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header(header::IDEMPOTENCY_REPLAYED), replayed);
    }
}

#[tokio::test]
async fn a_refusal_of_the_kernel_leaves_as_a_problem_with_its_wait() {
    let answer = Ask::check_with(json!({"feature": "busy"})).of(&Site::new()).await;
    let problem = answer.problem();
    assert_eq!(problem.code, Code::ServerOverloaded);
    assert_eq!(problem.detail.as_deref(), Some("for a moment"));
    assert_eq!(answer.header("retry-after"), Some("2"));
}

#[tokio::test]
async fn a_handler_that_panics_is_a_defect_of_ours_and_nothing_of_it_is_told() {
    let answer = Ask::check_with(json!({"feature": "panics"})).of(&Site::new()).await;
    let problem = answer.problem();
    assert_eq!(problem.code, Code::ServerInternal);
    assert_eq!(problem.detail, None);
}

#[tokio::test]
async fn a_body_not_declared_as_json_is_refused() {
    assert_eq!(Ask::check().without("content-type").code().await, Code::RequestMediaType);
    for bad in ["", "text/plain", "application/jsonl", "application/problem+json", "json"] {
        let code = Ask::check().with("content-type", bad).code().await;
        assert_eq!(code, Code::RequestMediaType, "{bad}");
    }
    for good in ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"] {
        assert_eq!(Ask::check().with("content-type", good).of(&Site::new()).await.status, 200);
    }
}

#[tokio::test]
async fn the_largest_body_is_taken_and_one_byte_more_is_not() {
    let padded = |size: usize| {
        let body = format!(
            r#"{{"tenant_id":"{TENANT}","runtime_id":"{RUNTIME}","feature":"f","context":{{"x":""}}}}"#
        );
        let padding = "x".repeat(size - body.len());
        Ask::check().body(body.replace("\"x\":\"", &format!("\"x\":\"{padding}")))
    };
    assert_eq!(padded(64 << 10).of(&Site::new()).await.status, 200);
    let answer = padded((64 << 10) + 1).of(&Site::new()).await;
    assert_eq!(answer.problem().code, Code::RequestTooLarge);
    assert_eq!(answer.header("connection"), Some("close"));
}
