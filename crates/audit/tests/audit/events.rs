use farhold_audit::{
    Class, EventError, EventHead, ExportVerifier, LIMITS, Withhold, inspect, inspect_recorded,
};
use farhold_contract::{
    Code,
    model::{ActorType, AuditEvent},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::site::{Site, TENANTS};

fn event() -> Value {
    json!({
        "event_id": "01939b6e-3c5f-7a31-8b53-000000000001",
        "tenant_id": TENANTS[0],
        "runtime_id": "01939b6e-3c5f-7a31-8b53-000000000002",
        "actor_type": "user",
        "actor_id": "zoë@example.org",
        "type": "feature.used",
        "timestamp": "2026-11-22T07:00:00.123456Z",
        "correlation_id": "c-1",
        "payload": {"feature": "exam", "units": 3, "nested": [{"a": null}, 1.5, -1, true]}
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut event = event();
    event[member] = value;
    event
}

fn read(event: &Value) -> Result<EventHead, EventError> {
    inspect(event.to_string().as_bytes())
}

#[test]
fn a_runtimes_event_is_read_as_the_contract_states_it() {
    let head = read(&event()).unwrap();
    assert_eq!(head.event_id.to_string(), "01939b6e-3c5f-7a31-8b53-000000000001");
    assert_eq!(head.tenant_id.to_string(), TENANTS[0]);
    assert_eq!(head.runtime_id.unwrap().to_string(), "01939b6e-3c5f-7a31-8b53-000000000002");
    assert_eq!(head.actor_type, ActorType::User);
    assert_eq!((head.kind.as_str(), head.class), ("feature.used", Class::Usage));
}

#[test]
fn only_the_runtime_id_may_be_absent_and_nothing_may_be_null() {
    for member in [
        "event_id",
        "tenant_id",
        "actor_type",
        "actor_id",
        "type",
        "timestamp",
        "correlation_id",
        "payload",
    ] {
        let mut event = event();
        event.as_object_mut().unwrap().remove(member);
        let refused = read(&event).unwrap_err();
        assert!(matches!(refused, EventError::Missing { member: named } if named == member));
        assert_eq!(refused.code(), Code::EventRefused);
    }
    let mut event = event();
    event.as_object_mut().unwrap().remove("runtime_id");
    assert_eq!(read(&event).unwrap().runtime_id, None);
    for (member, _) in self::event().as_object().unwrap() {
        for value in [Value::Null, json!(1), json!([])] {
            let refused = read(&with(member, value)).unwrap_err();
            assert!(
                matches!(refused, EventError::Member { member: named, .. } if named == member),
                "{refused}"
            );
        }
    }
}

#[test]
fn each_member_is_bounded() {
    for (member, value) in [
        ("event_id", json!("f47ac10b-58cc-4372-a567-0e02b2c3d479")),
        ("event_id", json!(TENANTS[0].to_uppercase())),
        ("tenant_id", json!("")),
        ("runtime_id", json!("agent")),
        ("actor_type", json!("User")),
        ("actor_id", json!("")),
        ("actor_id", json!("a\nb")),
        ("actor_id", json!("a".repeat(257))),
        ("type", json!("")),
        ("type", json!("Feature.used")),
        ("type", json!("feature..used")),
        ("type", json!(".feature")),
        ("type", json!("feature.")),
        ("type", json!("feature used")),
        ("type", json!("a".repeat(129))),
        ("timestamp", json!("2026-11-22T07:00:00+01:00")),
        ("timestamp", json!("2026-11-22")),
        ("correlation_id", json!("")),
        ("correlation_id", json!("a b")),
        ("correlation_id", json!("é")),
        ("correlation_id", json!("c".repeat(129))),
        ("payload", json!("text")),
    ] {
        let refused = read(&with(member, value.clone())).unwrap_err();
        assert!(
            matches!(refused, EventError::Member { member: named, .. } if named == member),
            "{member} {value}: {refused}"
        );
    }
    for (member, value) in [
        ("actor_id", json!("a".repeat(256))),
        ("type", json!("a".repeat(128))),
        ("type", json!("course_2.exam-v3.passed")),
        ("correlation_id", json!("c".repeat(128))),
        ("payload", json!({})),
    ] {
        assert!(read(&with(member, value)).is_ok(), "{member}");
    }
}

#[test]
fn a_runtime_writes_neither_for_the_agent_nor_for_the_kernel() {
    for (member, value) in [
        ("type", "agent.started"),
        ("type", "agent.decision.denied"),
        ("type", "kernel.runtime.suspended"),
        ("actor_type", "system"),
    ] {
        let event = with(member, json!(value));
        let refused = read(&event).unwrap_err();
        assert!(matches!(refused, EventError::Reserved { .. }));
        assert_eq!(refused.code(), Code::EventRefused);
        assert!(inspect_recorded(event.to_string().as_bytes()).is_ok());
    }
}

#[test]
fn a_reserved_type_can_not_hide_behind_an_escape() {
    let text = event().to_string().replace("feature.used", "\\u0061gent.started");
    assert!(matches!(inspect(text.as_bytes()), Err(EventError::Reserved { .. })));
    let text = event().to_string().replace("\"user\"", "\"s\\u0079stem\"");
    assert!(matches!(inspect(text.as_bytes()), Err(EventError::Reserved { .. })));
}

#[test]
fn a_member_twice_is_refused_at_any_depth_however_it_is_escaped() {
    let text = event().to_string();
    let many: String = (0..40).map(|n| format!("\"k{n}\":1,")).collect();
    for (from, to) in [
        ("{\"actor_id\"", "{\"type\":\"agent.started\",\"actor_id\"".to_owned()),
        ("{\"actor_id\"", "{\"t\\u0079pe\":\"agent.started\",\"actor_id\"".to_owned()),
        ("{\"actor_id\"", "{\"x\":1,\"x\":2,\"actor_id\"".to_owned()),
        ("{\"a\":null}", "{\"a\":1,\"\\u0061\":2}".to_owned()),
        ("{\"a\":null}", format!("{{{many}\"k39\":1}}")),
    ] {
        let text = text.replace(from, &to);
        assert!(matches!(inspect(text.as_bytes()), Err(EventError::Duplicate { .. })), "{to}");
    }
    let text = text.replace("{\"a\":null}", &format!("{{{many}\"k40\":1}}"));
    assert!(inspect(text.as_bytes()).is_ok());
}

#[test]
fn depth_is_counted_from_the_event() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        event().to_string().replace("{\"a\":null}", &format!("{open}1{close}"))
    };
    // The event, its payload, and the list around the place are three.
    assert!(inspect(nested(LIMITS.json_depth - 3).as_bytes()).is_ok());
    for depth in [LIMITS.json_depth - 2, 200, 30_000] {
        assert!(matches!(inspect(nested(depth).as_bytes()), Err(EventError::TooDeep { .. })));
    }
    let unknown = with("extra", json!([[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]));
    assert!(matches!(read(&unknown), Err(EventError::TooDeep { .. })));
}

#[test]
fn an_event_is_one_json_object_of_at_most_64_kib() {
    let text = event().to_string();
    for bad in [
        String::new(),
        "[]".to_owned(),
        "null".to_owned(),
        format!("{text}{text}"),
        format!("\u{feff}{text}"),
        text[..text.len() - 1].to_owned(),
        text.replace("1.5", "01"),
        text.replace("\"exam\"", "\"\\ud800\""),
    ] {
        assert!(matches!(inspect(bad.as_bytes()), Err(EventError::NotJson(_))), "{bad}");
    }
    let mut bytes = text.clone().into_bytes();
    bytes[20] = 0xff;
    assert!(matches!(inspect(&bytes), Err(EventError::NotText)));
    let padded = format!("{text}{}", " ".repeat(LIMITS.event_bytes - text.len()));
    assert!(inspect(padded.as_bytes()).is_ok());
    assert!(matches!(
        inspect(format!("{padded} ").as_bytes()),
        Err(EventError::TooLarge { bytes: 65_537, limit: 65_536 })
    ));
}

#[test]
fn members_beside_the_contracts_are_kept_as_sent() {
    assert!(read(&with("lineage", json!({"from": [1, 2]}))).is_ok());
}

#[test]
fn an_event_in_a_chain_is_held_to_its_record() {
    let mut site = Site::new(3);
    let text = event().to_string();
    site.append(0, 0, Class::Usage, &text);
    site.append(0, 1, Class::Usage, &text);
    site.append(0, 0, Class::Security, &text);
    site.append(0, 0, Class::Product, "not an event");
    let lines = site.export(0, Withhold::Nothing);
    let mut verifier = ExportVerifier::open(&lines[0], None).unwrap();
    let seen: Vec<String> = lines[1..]
        .iter()
        .map(|line| match verifier.record(line).unwrap().inspect() {
            Ok(head) => head.unwrap().kind,
            Err(error) => error.to_string(),
        })
        .collect();
    assert_eq!(
        seen,
        [
            "feature.used",
            "the record's tenant_id is not the event's",
            "the record's class is not the event's",
            "the event is not one JSON object"
        ]
    );
    // Content refused for an event never breaks the chain.
    assert_eq!(verifier.finish().unwrap().records(), 4);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(inspect(&bytes).is_err());
    }

    #[test]
    fn what_is_let_through_reads_the_same_as_the_contracts_own_model(
        at in 0_usize..400, to in any::<u8>(), insert: bool,
    ) {
        let mut bytes = event().to_string().into_bytes();
        let at = at % bytes.len();
        if insert { bytes.insert(at, to) } else { bytes[at] = to }
        if let Ok(head) = inspect_recorded(&bytes) {
            let model: AuditEvent = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(head.class, Class::of(&model.kind));
            prop_assert_eq!(
                (head.event_id, head.tenant_id, head.runtime_id, head.actor_type, head.kind),
                (model.event_id, model.tenant_id, model.runtime_id, model.actor_type, model.kind)
            );
        }
    }

    #[test]
    fn every_event_of_the_model_is_let_through(
        kind in "[a-z]{1,8}(\\.[a-z_]{1,8}){0,2}",
        actor_id in "[^\\p{C}]{1,40}",
        correlation_id in "[!-~]{1,128}",
        key in ".{0,12}",
        text in ".{0,40}",
    ) {
        let payload: Map<String, Value> = [(key, json!([text]))].into_iter().collect();
        let event = json!({
            "event_id": TENANTS[2], "tenant_id": TENANTS[0], "actor_type": "runtime",
            "actor_id": actor_id, "type": kind, "timestamp": "2026-11-22T07:00:00Z",
            "correlation_id": correlation_id, "payload": payload,
        });
        let head = read(&event);
        if kind.starts_with("agent.") || kind.starts_with("kernel.") {
            prop_assert!(head.is_err());
        } else {
            prop_assert_eq!(head.unwrap().kind, kind);
        }
    }
}
