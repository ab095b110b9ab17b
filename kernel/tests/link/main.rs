//! The link, at the Kernel's end: real TLS clients against the wired doors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod agent;
mod batches;
mod bundles;
mod enrollment;
mod heartbeats;
mod init;
mod ledger_book;
mod load;
mod receipted;
mod renewal;
mod vendor;
mod world;
