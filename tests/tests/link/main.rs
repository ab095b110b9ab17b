//! The link between site and Kernel, by the binaries that ship: one story a test.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod asleep;
mod bad_network;
mod bound;
mod certificates;
mod enrollment;
mod issuance;
mod kernel_away;
mod lowered;
mod main_job;
mod partition;
mod proxies;
mod rejected;
mod replaced_ca;
mod restored;
mod restored_kernel;
mod secrets;
mod silence;
mod stage;
mod standing;
mod switches;
mod tenants;
mod the_network;
