//! The whole system, by the binaries that ship: one story a file.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod callers;
mod contract_v01;
mod denials;
mod doors;
mod events;
mod idempotency;
mod imports;
mod ladder;
mod main_job;
mod no_room;
mod products_verify;
mod quotas;
mod secrets;
mod silence;
mod state;
mod trust;
mod verbs;
