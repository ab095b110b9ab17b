//! The reference control plane: the highest authority, for every tenant and every site.
//!
//! [`control_plane`] is what every call shares: a snapshot of the vendor's documents, the
//! [`storage`], the CA. Calls come in at two doors, wired in [`run()`]: agents and runtimes at the
//! one, the administrator at the other. See `ARCHITECTURE.md` for walkthroughs.
#![forbid(unsafe_code)]
#![warn(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "they panic where nothing can be written: `farhold_terminal` has stdout and stderr"
)]

pub mod admin;
pub mod agents;
pub mod ca;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod control_plane;
pub mod data_dir;
pub mod documents;
pub mod doors;
pub mod identity;
mod incident;
pub mod init;
pub mod intake;
mod life;
pub mod open;
pub mod own_event;
mod place;
mod probes;
pub mod random;
mod refusal;
pub mod report;
pub mod rotate;
pub mod run;
pub mod sending;
pub mod server_identity;
pub mod storage;
pub mod tls;

pub use farhold_terminal::error_chain;
pub use run::run;
