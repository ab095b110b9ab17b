//! `POST /kernel/audit/events`: a runtime hands over what happened.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{code::Code, id::EventId};

/// Most events in one v0.2 call.
pub const EVENTS_MAX: usize = 1_000;

/// One event (v0.1) or many (v0.2), each kept as the bytes the runtime sent.
#[derive(Debug, Deserialize)]
pub struct EventsRequest<'a> {
    /// v0.1: the event.
    #[serde(borrow, default)]
    pub event: Option<&'a RawValue>,
    /// v0.2: the events, at most [`EVENTS_MAX`].
    #[serde(borrow, default)]
    pub events: Option<Vec<&'a RawValue>>,
}

/// The answer to one event: it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventAccepted {
    /// The event.
    pub event_id: EventId,
    /// `true` if it had been kept before: the retry changed nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

/// The answer to many events, in the order they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsResponse {
    /// One outcome an event.
    pub results: Vec<EventOutcome>,
}

/// What became of one event among many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventOutcome {
    /// It is kept.
    Accepted(EventAccepted),
    /// It is not: the others are, all the same.
    Refused {
        /// Why not.
        code: Code,
        /// What is wrong with this one.
        detail: String,
    },
}
