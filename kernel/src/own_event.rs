//! Own events: what the Kernel did, written by nobody else, in its own chain.

use serde::Serialize;
use serde_json::{Map, Value, json};

use farhold_audit::{Class, EventHead, LIMITS};
use farhold_contract::{
    Timestamp,
    id::{EventId, RuntimeId, TenantId},
    model::ActorType,
};

use crate::{random, storage::OwnRecord};

/// The `actor_id` of what the Kernel does by itself.
pub const ACTOR_ID: &str = "farhold-kernel";

/// Something the Kernel did: ids, salt and time are added where it is recorded.
#[derive(Debug, Clone)]
pub struct OwnEvent {
    /// The organization in whose context it happened.
    pub tenant_id: TenantId,
    /// The runtime or agent it concerns, if one.
    pub runtime_id: Option<RuntimeId>,
    /// What happened: `kernel.` and a dotted word.
    pub kind: &'static str,
    /// Who had it done.
    pub actor_id: String,
    /// The call it belongs to; empty: none, the event's own id stands in.
    pub correlation_id: String,
    /// What else is to be kept.
    pub payload: Map<String, Value>,
}

impl OwnEvent {
    /// Something the Kernel did by itself. `payload` is an object.
    pub fn new(tenant_id: TenantId, kind: &'static str, payload: Value) -> Self {
        let payload = match payload {
            Value::Object(members) => members,
            other => Map::from_iter([("detail".to_owned(), other)]),
        };
        let (actor_id, correlation_id) = (ACTOR_ID.to_owned(), String::new());
        Self { tenant_id, runtime_id: None, kind, actor_id, correlation_id, payload }
    }

    /// The same, for somebody's call.
    #[must_use]
    pub fn of_call(self, runtime_id: Option<RuntimeId>, correlation_id: &str) -> Self {
        Self { runtime_id, correlation_id: correlation_id.to_owned(), ..self }
    }

    /// The same, done on somebody's behalf.
    #[must_use]
    pub fn by(self, actor_id: impl Into<String>) -> Self {
        Self { actor_id: actor_id.into(), ..self }
    }

    /// The event, ready to be linked into the Kernel's chain.
    ///
    /// A payload that would make it longer than events are gives way to a trace of itself, so that
    /// nothing the Kernel did goes unrecorded.
    pub fn record(self, now: Timestamp) -> OwnRecord {
        let event_id = EventId::from_uuid(random::id_v7(now)).expect("it was made as a UUIDv7");
        let mut event = self.to_bytes(event_id, now, &self.payload);
        if event.len() > LIMITS.event_bytes {
            event = self.to_bytes(event_id, now, &json!({"dropped_bytes": event.len()}));
        }
        let head = EventHead {
            event_id,
            tenant_id: self.tenant_id,
            runtime_id: self.runtime_id,
            actor_type: ActorType::System,
            kind: self.kind.to_owned(),
            class: Class::Agent,
        };
        OwnRecord::new(now, &head, random::bytes(), event)
    }

    fn to_bytes(&self, event_id: EventId, now: Timestamp, payload: &impl Serialize) -> Vec<u8> {
        let own_id;
        let correlation_id = if self.correlation_id.is_empty() {
            own_id = event_id.to_string();
            &own_id
        } else {
            &self.correlation_id
        };
        let members = Members {
            event_id,
            tenant_id: self.tenant_id,
            runtime_id: self.runtime_id,
            actor_type: ActorType::System,
            actor_id: &self.actor_id,
            kind: self.kind,
            timestamp: now,
            correlation_id,
            payload,
        };
        serde_json::to_vec(&members).expect("an event's members always serialize")
    }
}

/// The members of contract v0.1 §5.5, in its order.
#[derive(Serialize)]
struct Members<'a, P> {
    event_id: EventId,
    tenant_id: TenantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_id: Option<RuntimeId>,
    actor_type: ActorType,
    actor_id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    correlation_id: &'a str,
    payload: &'a P,
}

#[cfg(test)]
mod tests {
    use farhold_audit::inspect_recorded;

    use super::*;

    fn event(payload: Value) -> OwnEvent {
        let tenant_id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f".parse().unwrap();
        OwnEvent::new(tenant_id, "kernel.decision.denied", payload)
    }

    #[test]
    fn an_own_event_is_an_event_of_the_contract() {
        let record = event(json!({"code": "quota.exhausted"})).record(Timestamp::from_ms(0));
        let head = inspect_recorded(&record.event).unwrap();
        assert_eq!(
            (head.kind.as_str(), head.event_id),
            ("kernel.decision.denied", record.event_id)
        );
        assert_eq!(head.class, record.class);
    }

    #[test]
    fn a_payload_too_long_to_keep_leaves_its_trace() {
        let record = event(json!({"detail": "x".repeat(70_000)})).record(Timestamp::from_ms(0));
        assert!(inspect_recorded(&record.event).is_ok());
        assert!(
            String::from_utf8(record.event).unwrap().contains(r#""payload":{"dropped_bytes":70"#)
        );
    }
}
