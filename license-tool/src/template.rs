//! Template: a license as its vendor writes it, in TOML.
//!
//! Every member of a license has its place, under its own name; what the tool knows itself
//! (issuer, serial, the time of issue) has none. A mistake is said with its line and its key.

mod first;
mod mistake;
mod read;
mod schema;
mod walk;

pub use first::{FirstTemplate, write_first};
pub use read::{Template, read};
