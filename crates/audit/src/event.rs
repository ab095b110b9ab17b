//! Event: one borrowed pass that holds a runtime's bytes to contract v0.1's AuditEvent.
//!
//! The bytes themselves are kept and carried; what is read here only decides whether they are.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use farhold_bundle::strict_json::{Finding, Keys, Text, Values, Walk, WalkObject};
use farhold_contract::{
    Code, Timestamp,
    id::{EventId, RuntimeId, TenantId},
    model::ActorType,
};

use crate::{
    class::{self, Class},
    limits::LIMITS,
};

/// What must be known of an event to keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHead {
    /// The event; a retry carries the same id.
    pub event_id: EventId,
    /// The organization in whose context it happened.
    pub tenant_id: TenantId,
    /// The runtime it says it happened in.
    pub runtime_id: Option<RuntimeId>,
    /// What kind of actor did it.
    pub actor_type: ActorType,
    /// Its `type`.
    pub kind: String,
    /// The class of that type.
    pub class: Class,
}

/// Why bytes are not an event this caller may write.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is longer than an event may be.
    #[error("the event is {bytes} bytes long; at most {limit} are kept")]
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
        /// The most that is kept, in bytes.
        limit: usize,
    },
    /// It is not UTF-8.
    #[error("the event is not UTF-8")]
    NotText,
    /// It is not one JSON object.
    #[error("the event is not one JSON object")]
    NotJson(#[source] serde_json::Error),
    /// It nests too deeply.
    #[error("the event nests deeper than {limit}")]
    TooDeep {
        /// The deepest that is kept, the event itself counted.
        limit: usize,
    },
    /// An object of it has a member twice.
    #[error("the event has the member {member:?} twice in one object")]
    Duplicate {
        /// The member.
        member: String,
    },
    /// A member is absent.
    #[error("the event has no {member}")]
    Missing {
        /// The member.
        member: &'static str,
    },
    /// A member is wrong.
    #[error("{member} {why}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        why: &'static str,
    },
    /// Only the agent and the Kernel may write it.
    #[error("{what} is not for runtimes")]
    Reserved {
        /// What it claims: a `type` or an actor.
        what: String,
    },
    /// It is not the event its record says it is.
    #[error("the record's {member} is not the event's")]
    Mislabelled {
        /// The member.
        member: &'static str,
    },
}

impl EventError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        Code::EventRefused
    }
}

/// Holds a runtime's event to the contract (v0.1 §5.5, §6.5).
///
/// # Errors
/// [`EventError`] names what is wrong; [`EventError::Reserved`] for what runtimes may not write.
pub fn inspect(bytes: &[u8]) -> Result<EventHead, EventError> {
    let head = inspect_recorded(bytes)?;
    if class::is_own(&head.kind) {
        return Err(EventError::Reserved { what: format!("type {}", head.kind) });
    }
    if head.actor_type == ActorType::System {
        return Err(EventError::Reserved { what: "actor_type system".to_owned() });
    }
    Ok(head)
}

/// Holds an event out of a chain to the contract, whoever wrote it.
///
/// # Errors
/// [`EventError`] names what is wrong.
pub fn inspect_recorded(bytes: &[u8]) -> Result<EventHead, EventError> {
    if bytes.len() > LIMITS.event_bytes {
        return Err(EventError::TooLarge { bytes: bytes.len(), limit: LIMITS.event_bytes });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| EventError::NotText)?;
    let mut members = Members::default();
    let (mut reading, mut finding) = (None, None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = EventSeed { members: &mut members, reading: &mut reading, finding: &mut finding }
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    match (read, finding) {
        (Ok(()), _) => members.head(),
        (Err(_), Some(Finding::TooDeep)) => Err(EventError::TooDeep { limit: LIMITS.json_depth }),
        (Err(_), Some(Finding::Duplicate(member))) => Err(EventError::Duplicate { member }),
        // Values are carried, not read: the walk lets any of them pass.
        (Err(error), Some(Finding::Number | Finding::Null) | None) => Err(match reading {
            Some(member) if error.is_data() => {
                EventError::Member { member, why: "is of another JSON type" }
            }
            _ => EventError::NotJson(error),
        }),
    }
}

/// The members of contract v0.1 §5.5 as they stand in the bytes.
#[derive(Default)]
struct Members<'de> {
    event_id: Option<Cow<'de, str>>,
    tenant_id: Option<Cow<'de, str>>,
    runtime_id: Option<Cow<'de, str>>,
    actor_type: Option<Cow<'de, str>>,
    actor_id: Option<Cow<'de, str>>,
    kind: Option<Cow<'de, str>>,
    timestamp: Option<Cow<'de, str>>,
    correlation_id: Option<Cow<'de, str>>,
    payload: Option<()>,
}

impl<'de> Members<'de> {
    /// The name of a member that is a text, and where it goes.
    fn text(&mut self, key: &str) -> Option<(&'static str, &mut Option<Cow<'de, str>>)> {
        Some(match key {
            "event_id" => ("event_id", &mut self.event_id),
            "tenant_id" => ("tenant_id", &mut self.tenant_id),
            "runtime_id" => ("runtime_id", &mut self.runtime_id),
            "actor_type" => ("actor_type", &mut self.actor_type),
            "actor_id" => ("actor_id", &mut self.actor_id),
            "type" => ("type", &mut self.kind),
            "timestamp" => ("timestamp", &mut self.timestamp),
            "correlation_id" => ("correlation_id", &mut self.correlation_id),
            _ => return None,
        })
    }

    fn head(self) -> Result<EventHead, EventError> {
        let uuid = |member| move |_| EventError::Member { member, why: "must be a UUIDv7" };
        let event_id = required("event_id", self.event_id)?.parse().map_err(uuid("event_id"))?;
        let tenant_id =
            required("tenant_id", self.tenant_id)?.parse().map_err(uuid("tenant_id"))?;
        let runtime_id = self
            .runtime_id
            .map(|text| text.parse::<RuntimeId>())
            .transpose()
            .map_err(uuid("runtime_id"))?;
        let actor_type = match &*required("actor_type", self.actor_type)? {
            "user" => ActorType::User,
            "runtime" => ActorType::Runtime,
            "system" => ActorType::System,
            _ => return Err(member("actor_type", "must be user, runtime or system")),
        };
        let actor_id = required("actor_id", self.actor_id)?;
        if !bounded(&actor_id, LIMITS.actor_id_bytes) || actor_id.chars().any(char::is_control) {
            return Err(member("actor_id", "must be 1 to 256 bytes without control characters"));
        }
        let kind = required("type", self.kind)?;
        if !is_dotted_word(&kind) {
            return Err(member("type", "must be 1 to 128 of a-z 0-9 _ - in words joined by dots"));
        }
        required("timestamp", self.timestamp)?
            .parse::<Timestamp>()
            .map_err(|_| member("timestamp", "must be an RFC 3339 time in UTC, ending in Z"))?;
        let correlation_id = required("correlation_id", self.correlation_id)?;
        if !bounded(&correlation_id, LIMITS.correlation_id_bytes)
            || !correlation_id.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(member("correlation_id", "must be 1 to 128 visible ASCII characters"));
        }
        required("payload", self.payload)?;
        let class = Class::of(&kind);
        let kind = kind.into_owned();
        Ok(EventHead { event_id, tenant_id, runtime_id, actor_type, kind, class })
    }
}

fn required<T>(member: &'static str, value: Option<T>) -> Result<T, EventError> {
    value.ok_or(EventError::Missing { member })
}

const fn member(member: &'static str, why: &'static str) -> EventError {
    EventError::Member { member, why }
}

fn bounded(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.len() <= limit
}

fn is_dotted_word(text: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    bounded(text, LIMITS.kind_bytes)
        && text.split('.').all(|word| !word.is_empty() && word.bytes().all(plain))
}

struct EventSeed<'f, 'de> {
    members: &'f mut Members<'de>,
    /// The member whose value is being read.
    reading: &'f mut Option<&'static str>,
    finding: &'f mut Option<Finding>,
}

impl<'de> DeserializeSeed<'de> for EventSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EventSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = Keys::default();
        while let Some(key) = map.next_key_seed(Text)? {
            keys.insert(key.clone(), self.finding)?;
            // The event is the first container.
            let walk = Walk {
                depth: 1,
                deepest: LIMITS.json_depth,
                values: Values::Any,
                finding: self.finding,
            };
            if let Some((name, place)) = self.members.text(&key) {
                *self.reading = Some(name);
                *place = Some(map.next_value_seed(Text)?);
            } else if key == "payload" {
                *self.reading = Some("payload");
                map.next_value_seed(WalkObject(walk))?;
                self.members.payload = Some(());
            } else {
                // Members not named in the contract are kept as sent.
                map.next_value_seed(walk)?;
            }
            *self.reading = None;
        }
        Ok(())
    }
}
