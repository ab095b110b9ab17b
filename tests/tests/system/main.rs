//! The whole system, by the binaries that ship: one story a file.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod main_job;
