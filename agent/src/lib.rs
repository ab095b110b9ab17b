//! The agent of a site: a shell around calculators.
//!
//! Requests read an immutable [`snapshot`]; everything that changes goes through the one
//! [`owner`] of the store, which answers after its commit. [`run()`] wires the two to the doors;
//! [`admin`] is what the verbs of [`cli`] speak to. See `ARCHITECTURE.md` for walkthroughs.
#![forbid(unsafe_code)]
#![warn(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "they panic where nothing can be written: `farhold_terminal` has stdout and stderr"
)]

pub mod admin;
pub mod assembly;
mod bundle_route;
mod cap;
pub mod cli;
pub mod clock;
pub mod config;
pub mod denials;
pub mod doctor;
pub mod doors;
pub mod drop_folder;
pub mod exit;
pub mod file;
pub mod health;
pub mod heartbeats;
pub mod importer;
pub mod kernel;
pub mod kernel_word;
pub mod link;
pub mod link_board;
pub mod machine;
pub mod metrics;
pub mod own_event;
pub mod owner;
pub mod probes;
pub mod random;
mod refusals;
mod report;
pub mod reserve;
mod run;
pub mod shares;
pub mod site;
pub mod snapshot;
pub mod uplink;

pub use farhold_terminal::error_chain;
pub use run::{run, runtime_routes, standalone};
