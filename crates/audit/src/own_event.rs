//! The agent's own events: what it did, written by nobody else.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use farhold_contract::{
    Timestamp,
    id::{EventId, RuntimeId, TenantId},
    model::ActorType,
};

use crate::{class::Class, limits::LIMITS};

/// The `actor_id` of every event of the agent's own.
pub const ACTOR_ID: &str = "farhold";

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What the agent did, as the `type` of its event: a closed list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OwnKind { $($(#[$doc])* $name,)* }

        impl OwnKind {
            /// Every kind, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The event's `type`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// It began to serve.
    Started = "agent.started";
    /// It stopped serving.
    Stopped = "agent.stopped";
    /// It refused a check, or several alike.
    DecisionDenied = "agent.decision.denied";
    /// It granted a check that used up a quota.
    DecisionConsumed = "agent.decision.consumed";
    /// It granted a check that used up nothing, under a license that asks for all decisions.
    DecisionAllowed = "agent.decision.allowed";
    /// A bundle came into force.
    BundleImported = "agent.bundle.imported";
    /// A bundle was refused.
    BundleRefused = "agent.bundle.refused";
    /// The first trust root was installed.
    TrustInstalled = "agent.trust.installed";
    /// A runtime token was created.
    TokenCreated = "agent.token.created";
    /// A runtime token was revoked.
    TokenRevoked = "agent.token.revoked";
    /// A runtime registered.
    RuntimeRegistered = "agent.runtime.registered";
    /// A receipt came into force.
    ReceiptImported = "agent.receipt.imported";
    /// A license was given up, so that it can be bound to another machine.
    LicenseReleased = "agent.license.released";
    /// The machine is no longer quite the one its licenses are bound to, or is again.
    FingerprintChanged = "agent.fingerprint.changed";
    /// Licenses hold by what was read of the machine before, and not by what can be read now; or
    /// none does any more.
    FingerprintUnread = "agent.fingerprint.unread";
    /// The mark was set by a clock reset of the vendor's.
    ClockReset = "agent.clock.reset";
    /// The system clock fell far behind the agent's own time.
    ClockRollback = "agent.clock.rollback";
    /// The system clock jumped.
    ClockStep = "agent.clock.step";
    /// The Kernel's time showed the agent's own to be far ahead, and lowered it.
    ClockLowered = "agent.clock.lowered";
    /// The store was damaged and rebuilt.
    StoreRecovered = "agent.store.recovered";
    /// It was enrolled at a Kernel.
    Enrolled = "agent.enrolled";
    /// Its certificate was renewed.
    CertificateRenewed = "agent.certificate.renewed";
    /// The Kernel took something away, or gave it back.
    KernelWord = "agent.kernel.word";
    /// Events were lost that policy allowed to lose.
    AuditGap = "agent.audit.gap";
}

/// One event of the agent's own, before it is bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnEvent {
    /// The event.
    pub event_id: EventId,
    /// The organization in whose context it happened.
    pub tenant_id: TenantId,
    /// The runtime it concerns, if it concerns one.
    pub runtime_id: Option<RuntimeId>,
    /// What the agent did.
    pub kind: OwnKind,
    /// When, by the agent's own time.
    pub timestamp: Timestamp,
    /// The call it belongs to, or an id of the agent's own making.
    pub correlation_id: String,
    /// What else is to be kept.
    pub payload: Map<String, Value>,
}

impl OwnEvent {
    /// Its class.
    pub const fn class(&self) -> Class {
        Class::Agent
    }

    /// The event's JSON: its members in the order of the contract, no white space.
    ///
    /// A payload that would make the event longer than is kept gives way to a trace of itself, so
    /// that nothing the agent did goes unrecorded.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = self.write(&self.payload);
        if bytes.len() <= LIMITS.event_bytes {
            return bytes;
        }
        let trace = json!({"dropped_bytes": bytes.len()});
        self.write(&trace)
    }

    fn write(&self, payload: &impl Serialize) -> Vec<u8> {
        let members = Members {
            event_id: self.event_id,
            tenant_id: self.tenant_id,
            runtime_id: self.runtime_id,
            actor_type: ActorType::System,
            actor_id: ACTOR_ID,
            kind: self.kind,
            timestamp: self.timestamp,
            correlation_id: &self.correlation_id,
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
    actor_id: &'static str,
    #[serde(rename = "type")]
    kind: OwnKind,
    timestamp: Timestamp,
    correlation_id: &'a str,
    payload: &'a P,
}

impl Serialize for OwnKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl std::fmt::Display for OwnKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventError, inspect, inspect_recorded};

    #[test]
    fn every_event_of_the_agent_is_an_event_of_the_contract_and_not_for_runtimes() {
        for &kind in OwnKind::ALL {
            let bytes = event(kind, Map::new()).to_bytes();
            let head = inspect_recorded(&bytes).unwrap();
            assert_eq!((head.kind.as_str(), head.class), (kind.as_str(), Class::Agent));
            assert!(matches!(inspect(&bytes), Err(EventError::Reserved { .. })));
        }
    }

    #[test]
    fn the_bytes_have_one_shape() {
        let mut payload = Map::new();
        payload.insert("code".to_owned(), "quota.exhausted".into());
        assert_eq!(
            String::from_utf8(event(OwnKind::DecisionDenied, payload).to_bytes()).unwrap(),
            r#"{"event_id":"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f","tenant_id":"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50","actor_type":"system","actor_id":"farhold","type":"agent.decision.denied","timestamp":"2026-11-22T07:00:00Z","correlation_id":"c-1","payload":{"code":"quota.exhausted"}}"#
        );
    }

    #[test]
    fn a_payload_too_long_to_keep_leaves_its_trace() {
        let mut payload = Map::new();
        payload.insert("detail".to_owned(), "x".repeat(70_000).into());
        let bytes = event(OwnKind::BundleRefused, payload).to_bytes();
        assert!(inspect_recorded(&bytes).is_ok());
        assert!(String::from_utf8(bytes).unwrap().contains(r#""payload":{"dropped_bytes":70"#));
    }

    fn event(kind: OwnKind, payload: Map<String, Value>) -> OwnEvent {
        OwnEvent {
            event_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f".parse().unwrap(),
            tenant_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50".parse().unwrap(),
            runtime_id: None,
            kind,
            timestamp: "2026-11-22T07:00:00Z".parse().unwrap(),
            correlation_id: "c-1".to_owned(),
            payload,
        }
    }
}
