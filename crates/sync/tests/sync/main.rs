//! What the machines of the uplink promise: named claims a machine each, and all together against
//! a plain model of a site and its Kernel over a hostile network (`hostile_network`, `herd`).
#![allow(clippy::unwrap_used, clippy::panic)] // a test that can't go on has failed
#![allow(unreachable_pub)] // a test binary has no outside

mod backoff;
mod freshness;
mod herd;
mod hostile_network;
mod pace;
mod pull;
mod push;
mod reference;
mod registration;
mod renewal;
mod retry_after;
mod support;
mod table;
