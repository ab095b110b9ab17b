//! Audit event: what happened, who did it, in whose context.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    id::{EventId, RuntimeId, TenantId},
    time::Timestamp,
};

/// An audit event as contract v0.1 states it.
///
/// The agent keeps and carries the event's own bytes; this is their reading, for checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The event; a retry carries the same id.
    pub event_id: EventId,
    /// The organization in whose context it happened.
    pub tenant_id: TenantId,
    /// The runtime it happened in; absent for what the agent or the Kernel did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<RuntimeId>,
    /// What kind of actor did it.
    pub actor_type: ActorType,
    /// Which one.
    pub actor_id: String,
    /// What happened, as a dotted word.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, by the clock of whoever saw it.
    pub timestamp: Timestamp,
    /// The call it belongs to.
    pub correlation_id: String,
    /// What else is to be kept.
    pub payload: Map<String, Value>,
}

/// What kind of actor did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorType {
    /// A person.
    User,
    /// A runtime.
    Runtime,
    /// The agent or the Kernel: never accepted from a runtime.
    System,
}
