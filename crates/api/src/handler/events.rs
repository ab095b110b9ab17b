//! `POST /kernel/audit/events`

use std::fmt;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use farhold_contract::{
    Code,
    call::events::{EVENTS_MAX, EventAccepted, EventOutcome, EventsResponse},
    version::ContractVersion,
};

use crate::{
    answer::{answer, json, json_bytes},
    body::{self, present},
    call::{Call, RuntimeHeader},
    kernel::Kernel,
    refusal::Refusal,
    router::Door,
};

pub(crate) async fn events<K: Kernel>(State(door): State<Door<K>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    answer(&head.headers, async {
        let call = Call::from_head(&head, &*door.kernel, RuntimeHeader::Required).await?;
        let bytes = body::read(&head.headers, body, door.events_body_bytes, door.body_time).await?;
        let version = call.version;
        let Asked { events, form } = asked(version, &bytes)?;
        // The whole call's bytes are not kept while its events become durable.
        drop(bytes);
        let asked = events.len();
        let results = door.kernel.events(call, events).await?;
        if results.len() != asked {
            tracing::error!(asked, answered = results.len(), "events were not answered one by one");
            return Err(Code::ServerInternal.into());
        }
        match form {
            Form::Many => {
                json(&EventsResponse { results: results.into_iter().map(outcome).collect() })
            }
            Form::One => {
                let only = results.into_iter().next().ok_or(Code::ServerInternal)??;
                match version {
                    // v0.1 names no body: an object without members.
                    ContractVersion::V0_1 => Ok(json_bytes(b"{}".to_vec())),
                    ContractVersion::V0_2 => json(&only),
                }
            }
        }
    })
    .await
}

/// Whether the caller sent an event or a list, and so how it is answered.
#[derive(Clone, Copy)]
enum Form {
    One,
    Many,
}

#[derive(Deserialize)]
struct BodyV0_1<'a> {
    #[serde(borrow)]
    event: &'a RawValue,
}

#[derive(Deserialize)]
struct BodyV0_2<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    event: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    events: Option<Events<'a>>,
}

/// The events' own bytes, as they came.
struct Asked {
    events: Vec<Box<[u8]>>,
    form: Form,
}

fn asked(version: ContractVersion, bytes: &[u8]) -> Result<Asked, Refusal> {
    let body = match version {
        ContractVersion::V0_1 => {
            let BodyV0_1 { event } = body::parse(bytes)?;
            BodyV0_2 { event: Some(event), events: None }
        }
        ContractVersion::V0_2 => body::parse(bytes)?,
    };
    match (body.event, body.events) {
        (Some(event), None) => Ok(Asked { events: vec![kept(event)], form: Form::One }),
        (None, Some(Events(events))) if !events.is_empty() => {
            Ok(Asked { events: events.into_iter().map(kept).collect(), form: Form::Many })
        }
        _ => Err(Refusal::new(
            Code::RequestMalformed,
            format!("the body holds either event, or events with 1 to {EVENTS_MAX} of them"),
        )),
    }
}

fn kept(event: &RawValue) -> Box<[u8]> {
    event.get().as_bytes().into()
}

fn outcome(result: Result<EventAccepted, Refusal>) -> EventOutcome {
    match result {
        Ok(accepted) => EventOutcome::Accepted(accepted),
        Err(Refusal { code, detail, .. }) => EventOutcome::Refused {
            code,
            detail: detail.unwrap_or_else(|| code.sentence().to_owned()),
        },
    }
}

/// At most [`EVENTS_MAX`] events: a longer list is refused where it passes the limit.
struct Events<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Events<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EventsVisitor).map(Events)
    }
}

struct EventsVisitor;

impl<'de> de::Visitor<'de> for EventsVisitor {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1 to {EVENTS_MAX} events")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut events = Vec::new();
        while let Some(event) = list.next_element()? {
            if events.len() == EVENTS_MAX {
                return Err(de::Error::invalid_length(EVENTS_MAX + 1, &self));
            }
            events.push(event);
        }
        Ok(events)
    }
}
