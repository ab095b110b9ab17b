use farhold_audit::{Redaction, Submitted};
use farhold_contract::{
    Code,
    id::{RuntimeId, TenantId},
};
use serde_json::{Value, json};

use crate::site::TENANTS;

const RUNTIME: &str = "01939b6e-3c5f-7a31-8b53-000000000002";
const OTHER_RUNTIME: &str = "01939b6e-3c5f-7a31-8b53-000000000003";

fn event(tenant: &TenantId, runtime: Option<&str>) -> Value {
    let mut event = json!({
        "event_id": "01939b6e-3c5f-7a31-8b53-000000000001",
        "tenant_id": tenant,
        "actor_type": "user",
        "actor_id": "zoë@example.org",
        "type": "feature.used",
        "timestamp": "2026-11-22T07:00:00Z",
        "correlation_id": "c-1",
        "payload": {"feature": "exam", "who": "zoë"},
    });
    if let Some(runtime) = runtime {
        event["runtime_id"] = json!(runtime);
    }
    event
}

fn submitted(event: &Value, redaction: Option<&Redaction>) -> Result<Submitted, (Code, String)> {
    let (tenant_id, runtime_id): (TenantId, RuntimeId) =
        (TENANTS[0].to_string().parse().unwrap(), RUNTIME.parse().unwrap());
    let bytes = event.to_string().into_bytes().into_boxed_slice();
    Submitted::new(bytes, tenant_id, Some(runtime_id), redaction)
        .map_err(|refusal| (refusal.code(), refusal.to_string()))
}

fn tenant(n: usize) -> TenantId {
    TENANTS[n].to_string().parse().unwrap()
}

#[test]
fn a_runtimes_own_event_is_kept_byte_for_byte() {
    for runtime in [Some(RUNTIME), None] {
        let event = event(&tenant(0), runtime);
        let kept = submitted(&event, None).unwrap();
        assert_eq!(kept.event, event.to_string().into_bytes());
        assert_eq!((kept.head.tenant_id, kept.head.kind.as_str()), (tenant(0), "feature.used"));
    }
}

#[test]
fn an_event_of_somebody_else_is_refused_by_whose_it_is() {
    let refused = |event: &Value| submitted(event, None).unwrap_err().0;
    assert_eq!(refused(&event(&tenant(1), Some(RUNTIME))), Code::TenantMismatch);
    assert_eq!(refused(&event(&tenant(0), Some(OTHER_RUNTIME))), Code::RuntimeMismatch);
    assert_eq!(refused(&event(&tenant(1), Some(OTHER_RUNTIME))), Code::TenantMismatch);
    let mut own = event(&tenant(0), None);
    own["type"] = json!("agent.started");
    assert_eq!(refused(&own), Code::EventRefused);
    assert_eq!(refused(&json!([])), Code::EventRefused);
}

#[test]
fn what_must_not_be_kept_leaves_its_trace() {
    let redaction = Redaction::new(&["/payload/who".to_owned()]);
    let kept = submitted(&event(&tenant(0), None), Some(&redaction)).unwrap();
    let kept: Value = serde_json::from_slice(&kept.event).unwrap();
    assert_eq!(kept["payload"], json!({"feature": "exam", "who": {"redacted": true}}));
}
