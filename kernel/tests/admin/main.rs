//! The admin API, route by route, over a control plane of its own.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod admission;
mod alerts;
mod audit;
mod documents;
mod every_call;
mod holding;
mod ledger;
mod providers;
mod stage;
mod tenants;
mod tokens;
mod vendor;
