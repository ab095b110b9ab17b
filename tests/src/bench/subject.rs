//! Subject: a detached site with a licensed, registered runtime, and the requests it makes.

use std::net::SocketAddr;

use anyhow::{Result, bail};
use serde_json::Value;

use farhold_contract::model::RuntimeType;

use super::{
    CHECK_PATH,
    load::Request,
    product::{Content, Product},
};
use crate::site::{Site, Vendor};

/// What one event holds, in bytes: the peers write as much.
pub(super) const EVENT_BYTES: usize = 400;

/// A site and the product that speaks to it.
pub(super) struct Subject {
    /// The site; its agent runs.
    pub(super) site: Site,
    product: Product,
    entitlements: usize,
}

impl Subject {
    /// A detached site whose license has so many entitlements.
    ///
    /// # Errors
    /// If it has no TCP door.
    pub(super) fn new(vendor: &Vendor, entitlements: usize) -> Result<Self> {
        let license = vendor.license(|license| {
            (0..entitlements).fold(license, |license, at| license.feature(&feature(at)))
        });
        let site = Site::planned(vendor, |plan| plan.queue_cap("16GiB"));
        let site = site.trusting().holding(&license);
        let runtime = site.runtime(RuntimeType::Courses).registered();
        let product = Product::new(runtime, &site.tcp_door())?;
        Ok(Self { site, product, entitlements })
    }

    /// Where products find it.
    pub(super) const fn address(&self) -> SocketAddr {
        self.product.address()
    }

    /// The headers of every call, v0.2.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        self.product.headers()
    }

    /// A look-only check of the entitlement in the middle.
    pub(super) fn check_body(&self) -> String {
        self.product.check_body(&feature(self.entitlements / 2))
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
        self.product.one_event(Content::Alike(EVENT_BYTES))
    }

    /// A post of several.
    pub(super) fn events(&self, count: usize) -> Request {
        self.product.events(count, Content::Alike(EVENT_BYTES))
    }
}

/// One of many features.
pub(super) fn feature(at: usize) -> String {
    format!("courses.module-{at:05}")
}
