//! Metrics: counts and gauges for Prometheus; never an id as a label.

use std::sync::{Arc, atomic::AtomicU64};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// What the agent counts about itself.
pub struct Metrics {
    registry: Registry,
    /// Records linked into the chain.
    pub events_accepted: Counter,
    /// Events refused.
    pub events_rejected: Counter,
    /// Records receipted.
    pub events_delivered: Counter,
    /// Checks allowed.
    pub checks_allowed: Counter,
    /// Checks denied.
    pub checks_denied: Counter,
    /// Calls without a valid token.
    pub unauthenticated: Counter,
    /// Records waiting for a receipt.
    pub queue_events: Gauge<f64, AtomicU64>,
    /// The database's pages in use, in bytes.
    pub queue_bytes: Gauge<f64, AtomicU64>,
    /// Age of the oldest record waiting, in seconds.
    pub queue_oldest_age_seconds: Gauge<f64, AtomicU64>,
}

/// Figures that may not be there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moments {
    /// Seconds to the earliest signed end of a license in force.
    pub license_expires_in_seconds: Option<f64>,
    /// Seconds to the end of the agent's certificate.
    pub certificate_expires_in_seconds: Option<f64>,
    /// Seconds without a fresh answer of the Kernel, in this run of the agent.
    pub offline_seconds: Option<f64>,
    /// When the Kernel last accepted a heartbeat, in seconds since 1970.
    pub heartbeat_at_seconds: Option<f64>,
    /// When a bundle was last pulled, in seconds since 1970.
    pub pull_at_seconds: Option<f64>,
    /// When a batch was last receipted, in seconds since 1970.
    pub push_at_seconds: Option<f64>,
}

impl Moments {
    fn each(&self) -> [(&'static str, &'static str, Option<f64>); 6] {
        [
            (
                "license_expires_in_seconds",
                "Seconds to the earliest signed end of a license in force",
                self.license_expires_in_seconds,
            ),
            (
                "certificate_expires_in_seconds",
                "Seconds to the end of the agent's certificate",
                self.certificate_expires_in_seconds,
            ),
            (
                "offline_seconds_total",
                "Seconds without a fresh answer of the Kernel, in this run",
                self.offline_seconds,
            ),
            (
                "heartbeat_last_success_timestamp_seconds",
                "When the Kernel last accepted a heartbeat",
                self.heartbeat_at_seconds,
            ),
            (
                "bundle_pull_last_success_timestamp_seconds",
                "When a bundle was last pulled, or found to be the one at hand",
                self.pull_at_seconds,
            ),
            (
                "audit_push_last_success_timestamp_seconds",
                "When a batch of the audit was last receipted",
                self.push_at_seconds,
            ),
        ]
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("farhold");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let events_accepted = counter("events_accepted", "Records linked into the chain");
        let events_rejected = counter("events_rejected", "Events refused");
        let events_delivered = counter("events_delivered", "Records receipted");
        let checks_allowed = counter("checks_allowed", "Checks allowed");
        let checks_denied = counter("checks_denied", "Checks denied");
        let unauthenticated = counter("unauthenticated_calls", "Calls without a valid token");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::<f64, AtomicU64>::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let queue_events = gauge("queue_events", "Records waiting for a receipt");
        let queue_bytes = gauge("queue_bytes", "The database's pages in use, in bytes");
        let queue_oldest_age_seconds =
            gauge("queue_oldest_age_seconds", "Age of the oldest record waiting");
        Arc::new(Self {
            registry,
            events_accepted,
            events_rejected,
            events_delivered,
            checks_allowed,
            checks_denied,
            unauthenticated,
            queue_events,
            queue_bytes,
            queue_oldest_age_seconds,
        })
    }

    /// The text that Prometheus reads. What is not known is absent, not 0.
    pub fn text(&self, moments: &Moments) -> String {
        let mut text = String::new();
        // Writing into a string can't fail.
        let _ = encode(&mut text, &self.registry);
        let mut known = Registry::with_prefix("farhold");
        for (name, help, value) in moments.each() {
            let Some(value) = value else { continue };
            let gauge = Gauge::<f64, AtomicU64>::default();
            gauge.set(value);
            known.register(name, help, gauge);
        }
        let mut rest = String::new();
        let _ = encode(&mut rest, &known);
        // Two texts become one: only the last may end.
        if let Some(end) = text.rfind("# EOF") {
            text.truncate(end);
        }
        text.push_str(&rest);
        text
    }
}
