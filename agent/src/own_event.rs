//! Events the agent writes itself: ids, salt and time are added where they are kept.

use serde_json::{Map, Value};

use farhold_audit::{OwnEvent, OwnKind};
use farhold_contract::{
    Timestamp,
    id::{EventId, RuntimeId, TenantId},
};
use farhold_store::Body;

use crate::random;

/// What an event says, before anybody says when.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What happened.
    pub kind: OwnKind,
    /// The runtime it concerns, if one.
    pub runtime_id: Option<RuntimeId>,
    /// The call it belongs to; empty: none, its own id stands in.
    pub correlation_id: String,
    /// What else is to be kept.
    pub payload: Map<String, Value>,
}

impl Draft {
    /// Something the agent did on its own.
    pub fn new(kind: OwnKind, payload: Value) -> Self {
        let payload = match payload {
            Value::Object(members) => members,
            other => Map::from_iter([("detail".to_owned(), other)]),
        };
        Self { kind, runtime_id: None, correlation_id: String::new(), payload }
    }

    /// The same, for a runtime's call.
    #[must_use]
    pub fn of_call(self, runtime_id: Option<RuntimeId>, correlation_id: &str) -> Self {
        Self { runtime_id, correlation_id: correlation_id.to_owned(), ..self }
    }
}

/// The event, ready to be linked.
pub fn body(event_id: EventId, tenant_id: TenantId, timestamp: Timestamp, draft: Draft) -> Body {
    let Draft { kind, runtime_id, correlation_id, payload } = draft;
    let correlation_id =
        if correlation_id.is_empty() { event_id.to_string() } else { correlation_id };
    let event =
        OwnEvent { event_id, tenant_id, runtime_id, kind, timestamp, correlation_id, payload };
    Body::new(tenant_id, event.class(), event_id, random::salt(), event.to_bytes())
}
