//! The contract's calls over the real router and the real server, with a small Kernel behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod ask;
mod certificate;
mod check;
mod contract;
mod events;
mod flags;
mod headers;
mod heartbeat;
mod paths;
mod register;
mod resolve;
mod server;
mod site;
