//! Product: the requests that a runtime makes at its site's door.

use std::net::SocketAddr;

use anyhow::{Result, bail};
use serde_json::json;

use super::{
    CHECK_PATH, EVENTS_PATH,
    load::Request,
    template::{NEW_ID, NOISE},
};
use crate::{http::Address, site::Runtime};

/// A registered runtime and the door it speaks to.
pub(super) struct Product {
    runtime: Runtime,
    address: SocketAddr,
}

/// What is in the events that one bench writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// So many bytes each, all alike but for their ids.
    Alike(usize),
    /// So many bytes each, with so many random characters of base64 among them.
    Random(usize, usize),
}

impl Product {
    /// At a site's TCP door.
    ///
    /// # Errors
    /// If the door is another.
    pub(super) fn new(runtime: Runtime, door: &Address) -> Result<Self> {
        match *door {
            Address::Tcp(address) => Ok(Self { runtime: runtime.at(door), address }),
            Address::Unix(_) => bail!("the site has no TCP door"),
        }
    }

    /// Where it finds the agent.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The headers of every call, v0.2.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            header("x-tenant-id", self.runtime.tenant()),
            header("x-runtime-id", self.runtime.id()),
            header("x-contract-version", "v0.2"),
            header("x-correlation-id", "bench-0123456789abcdef"),
            header("authorization", &format!("Bearer {}", self.runtime.token())),
        ]
    }

    /// The body of a look-only check.
    pub(super) fn check_body(&self, feature: &str) -> String {
        let body = json!({
            "tenant_id": self.runtime.tenant(),
            "runtime_id": self.runtime.id(),
            "feature": feature,
        });
        body.to_string()
    }

    /// A look-only check.
    pub(super) fn check(&self, feature: &str) -> Request {
        Request::post(CHECK_PATH, &self.headers(), &self.check_body(feature))
    }

    /// A post of one event.
    pub(super) fn one_event(&self, content: Content) -> Request {
        let body = format!(r#"{{"event":{}}}"#, self.event(content));
        Request::post(EVENTS_PATH, &self.headers(), &body)
    }

    /// A post of several.
    pub(super) fn events(&self, count: usize, content: Content) -> Request {
        let events = vec![self.event(content); count].join(",");
        let body = format!(r#"{{"events":[{events}]}}"#);
        Request::post(EVENTS_PATH, &self.headers(), &body)
    }

    fn event(&self, content: Content) -> String {
        content.event(self.runtime.tenant(), self.runtime.id())
    }
}

impl Content {
    /// The text of an event, of which a [`super::template::Template`] is made.
    pub(super) fn event(self, tenant_id: &str, runtime_id: &str) -> String {
        let (bytes, random) = match self {
            Self::Alike(bytes) => (bytes, 0),
            Self::Random(bytes, random) => (bytes, random),
        };
        let mut event = json!({
            "event_id": NEW_ID,
            "tenant_id": tenant_id,
            "runtime_id": runtime_id,
            "actor_type": "user",
            "actor_id": "ana",
            "type": "feature.used",
            "timestamp": "2026-11-22T07:00:00Z",
            "correlation_id": "bench-0123456789abcdef",
            "payload": { "feature": "export", "note": NOISE.to_string().repeat(random) },
        });
        let missing = bytes.saturating_sub(event.to_string().len());
        let note = NOISE.to_string().repeat(random) + &"n".repeat(missing);
        event["payload"]["note"] = note.into();
        event.to_string()
    }

    /// As a part's title says it.
    pub(super) fn named(self) -> String {
        match self {
            Self::Alike(bytes) => format!("{bytes} B, all alike"),
            Self::Random(bytes, random) => format!("{bytes} B, {random} of them random base64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_bytes_that_its_content_says() {
        let id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";
        for (content, bytes) in [(Content::Alike(375), 375), (Content::Random(680, 340), 680)] {
            let event = content.event(id, id);
            assert_eq!(event.len(), bytes);
            let noise = event.chars().filter(|character| *character == NOISE).count();
            assert_eq!(noise, if bytes == 680 { 340 } else { 0 });
        }
    }
}
