//! Event draft: what a product tells the audit, in words.

use serde_json::{Value, json};

use super::ids;

/// An event in the making.
#[derive(Debug, Clone)]
pub struct EventDraft {
    json: Value,
}

impl EventDraft {
    pub(super) fn new(tenant: &str, runtime_id: &str, kind: &str) -> Self {
        Self {
            json: json!({
                "event_id": ids::v7(),
                "tenant_id": tenant,
                "runtime_id": runtime_id,
                "actor_type": "user",
                "actor_id": "ana",
                "type": kind,
                "timestamp": "2026-11-22T07:00:00Z",
                "correlation_id": "c-1",
                "payload": {},
            }),
        }
    }

    /// With this payload.
    pub fn payload(self, payload: Value) -> Self {
        self.saying("payload", payload)
    }

    /// With a member set to something else.
    pub fn saying(mut self, member: &str, value: Value) -> Self {
        self.json[member] = value;
        self
    }

    /// Its id.
    pub fn id(&self) -> String {
        self.json["event_id"].as_str().expect("an id").to_owned()
    }

    /// As it is sent.
    pub fn to_json(&self) -> Value {
        self.json.clone()
    }
}
