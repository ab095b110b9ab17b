//! `POST /kernel/audit/events`

use farhold_contract::Code;
use serde_json::{Value, json};

use crate::{
    ask::Ask,
    site::{Asked, EVENT, Site},
};

#[tokio::test]
async fn one_event_is_answered_with_an_empty_object_in_v0_1_and_its_id_in_v0_2() {
    let ask = || Ask::events(json!({"event": event()}));
    assert_eq!(ask().v0_1().of(&Site::new()).await.json(), json!({}));
    assert_eq!(ask().of(&Site::new()).await.json(), json!({"event_id": EVENT}));
}

#[tokio::test]
async fn an_event_is_handed_over_byte_for_byte() {
    let odd = format!(
        "{{ \"payload\":{{\"n\":1.0e0,\"s\":\"\\u00e9\"}},\n\t\"event_id\" : \"{EVENT}\" }}"
    );
    for body in [format!("{{\"event\": {odd} }}"), format!("{{\"events\":[ {odd} ,{odd}]}}")] {
        let site = Site::new();
        assert_eq!(Ask::events(json!({})).body(body).of(&site).await.status, 200);
        let Asked::Events(_, events) = site.only() else { panic!("not events") };
        assert!(events.iter().all(|event| **event == *odd.as_bytes()));
    }
}

#[tokio::test]
async fn many_events_are_answered_one_by_one_in_order() {
    let answer = Ask::events(json!({"events": [event(), {"event_id": "no"}, event()]}))
        .of(&Site::new())
        .await
        .json();
    let refused = Code::EventRefused;
    assert_eq!(
        answer,
        json!({"results": [
            {"event_id": EVENT},
            {"code": refused.as_str(), "detail": refused.sentence()},
            {"event_id": EVENT},
        ]})
    );
}

#[tokio::test]
async fn one_refused_event_is_a_problem() {
    for ask in [Ask::events(json!({"event": {}})), Ask::events(json!({"event": {}})).v0_1()] {
        assert_eq!(ask.of(&Site::new()).await.problem().code, Code::EventRefused);
    }
}

#[tokio::test]
async fn a_thousand_events_are_taken_and_one_more_is_not() {
    let many = |count| Ask::events(json!({"events": vec![event(); count]}));
    let answer = many(1_000).of(&Site::new()).await.json();
    assert_eq!(answer["results"].as_array().unwrap().len(), 1_000);
    assert_eq!(many(1_001).code().await, Code::RequestMalformed);
}

#[tokio::test]
async fn a_body_holds_either_one_event_or_some() {
    for bad in [
        json!({}),
        json!({"events": []}),
        json!({"events": event()}),
        json!({"event": event(), "events": [event()]}),
        json!({"event": event(), "events": null}),
    ] {
        assert_eq!(Ask::events(bad.clone()).code().await, Code::RequestMalformed, "{bad}");
    }
    let list = Ask::events(json!([event()]));
    assert_eq!(list.code().await, Code::RequestMalformed);
}

#[tokio::test]
async fn in_v0_1_a_list_of_events_has_no_meaning() {
    let list = Ask::events(json!({"events": [event()]})).v0_1();
    assert_eq!(list.code().await, Code::RequestMalformed);
    let both = Ask::events(json!({"event": event(), "events": 7})).v0_1();
    assert_eq!(both.of(&Site::new()).await.json(), json!({}));
}

#[tokio::test]
async fn an_event_left_unanswered_is_a_defect_of_ours() {
    let lost = json!({"event": {"event_id": EVENT, "payload": "lost"}});
    assert_eq!(Ask::events(lost).of(&Site::new()).await.problem().code, Code::ServerInternal);
}

#[tokio::test]
async fn a_batch_may_be_as_large_as_its_events_may() {
    let big = json!({"event_id": EVENT, "payload": "x".repeat(1 << 20)});
    assert_eq!(Ask::events(json!({"events": [big]})).of(&Site::new()).await.status, 200);
    let bigger = json!({"event_id": EVENT, "payload": "x".repeat((1 << 20) + (64 << 10))});
    assert_eq!(Ask::events(json!({"events": [bigger]})).code().await, Code::RequestTooLarge);
}

fn event() -> Value {
    json!({"event_id": EVENT, "type": "session.started"})
}
