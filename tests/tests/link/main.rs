//! The link between site and Kernel, by the binaries that ship: one story a test.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod bad_network;
mod certificates;
mod enrollment;
mod kernel_away;
mod main_job;
mod partition;
mod proxies;
mod rejected;
mod restored;
mod secrets;
mod silence;
mod stage;
mod standing;
mod tenants;
mod the_network;
