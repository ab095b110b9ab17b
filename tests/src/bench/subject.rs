//! Subject: a real site with a licensed, registered runtime, and the requests it makes.

use std::net::SocketAddr;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use farhold_contract::model::RuntimeType;

use super::{
    CHECK_PATH, EVENTS_PATH,
    load::{NEW_ID, Request},
};
use crate::{
    http::Address,
    site::{Runtime, Site, Vendor},
};

/// What one event holds, in bytes: the peers write as much.
pub(super) const EVENT_BYTES: usize = 400;

/// A site and the product that speaks to it.
pub(super) struct Subject {
    /// The site; its agent runs.
    pub(super) site: Site,
    runtime: Runtime,
    entitlements: usize,
}

impl Subject {
    /// A detached site whose license has so many entitlements.
    pub(super) fn new(vendor: &Vendor, entitlements: usize) -> Self {
        let license = vendor.license(|license| {
            (0..entitlements).fold(license, |license, at| license.feature(&feature(at)))
        });
        let site = Site::planned(vendor, |plan| plan.queue_cap("16GiB"));
        let site = site.trusting().holding(&license);
        let runtime = site.runtime(RuntimeType::Courses).registered().at(&site.tcp_door());
        Self { site, runtime, entitlements }
    }

    /// Where products find it.
    ///
    /// # Errors
    /// Without a TCP door.
    pub(super) fn address(&self) -> Result<SocketAddr> {
        match self.site.tcp_door() {
            Address::Tcp(address) => Ok(address),
            Address::Unix(_) => bail!("the site has no TCP door"),
        }
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

    /// A look-only check of the entitlement in the middle.
    pub(super) fn check_body(&self) -> String {
        let body = json!({
            "tenant_id": self.runtime.tenant(),
            "runtime_id": self.runtime.id(),
            "feature": feature(self.entitlements / 2),
        });
        body.to_string()
    }

    /// A real answer to that check.
    ///
    /// # Errors
    /// If it is not allowed: a refusal would be another measurement.
    pub(super) fn check_answer(&self) -> Result<Vec<u8>> {
        let headers = self.headers();
        let mut headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        headers.push(("content-type", "application/json"));
        let body = self.check_body();
        let answer = self.site.tcp_door().call("POST", CHECK_PATH, &headers, body.as_bytes())?;
        match answer.json()?["allowed"] {
            Value::Bool(true) => Ok(answer.body),
            _ => bail!("the check is refused: {}", String::from_utf8_lossy(&answer.body)),
        }
    }

    /// A post of one event of [`EVENT_BYTES`].
    pub(super) fn one_event(&self) -> Request {
        let body = format!(r#"{{"event":{}}}"#, self.event());
        Request::post(EVENTS_PATH, &self.headers(), &body)
    }

    /// A post of several.
    pub(super) fn events(&self, count: usize) -> Request {
        let events = vec![self.event(); count].join(",");
        let body = format!(r#"{{"events":[{events}]}}"#);
        Request::post(EVENTS_PATH, &self.headers(), &body)
    }

    fn event(&self) -> String {
        let mut event = json!({
            "event_id": NEW_ID,
            "tenant_id": self.runtime.tenant(),
            "runtime_id": self.runtime.id(),
            "actor_type": "user",
            "actor_id": "ana",
            "type": "feature.used",
            "timestamp": "2026-11-22T07:00:00Z",
            "correlation_id": "bench-0123456789abcdef",
            "payload": { "feature": feature(0), "note": "" },
        });
        let missing = EVENT_BYTES.saturating_sub(event.to_string().len());
        event["payload"]["note"] = "n".repeat(missing).into();
        event.to_string()
    }
}

fn feature(at: usize) -> String {
    format!("courses.module-{at:05}")
}
