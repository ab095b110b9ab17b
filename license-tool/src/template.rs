//! Template: a license as its vendor writes it, in TOML.
//!
//! Every member of a license has its place, under its own name; what the tool knows itself
//! (issuer, serial, the time of issue) has none. A mistake is said with its line and its key.

mod bind;
mod first;
mod mistake;
mod mold;
mod read;
mod schema;
mod walk;

pub use bind::{BindTo, BindToError};
pub use first::{FirstTemplate, write_first, write_first_table};
pub use mold::{Mold, Stamp};
pub use read::{Template, read, read_for};
