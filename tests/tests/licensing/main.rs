//! Licensing in depth, by the binaries that ship: rotation, recovery, revocation, clocks, machines.
//!
//! One story a test. What the vendor does is typed at the real `license-tool`, what the site does at
//! the real `farhold`. A story that needs a machine or a suspend of its own makes it with the
//! system's namespaces, and says loudly where it could not.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod activation;
mod binding;
mod clock;
mod clock_reset;
mod copies;
mod drop_folder;
mod flags;
mod guide;
mod marks;
mod outlook;
mod preview;
mod recovery;
mod rehost;
mod revocation;
mod root_end;
mod rotation;
mod signatures;
mod theft;
mod thresholds;
