//! What the calculator of decisions promises, as named claims and as properties against a naive
//! model of the same rules (`tests/reference/`).
#![allow(clippy::unwrap_used, clippy::panic)] // a test that can't go on has failed
#![allow(unreachable_pub)] // a test binary has no outside

mod clock;
mod decisions;
mod ladders;
mod outlook;
mod properties;
mod quotas;
#[path = "../reference/mod.rs"]
mod reference;
mod registration;
mod support;
mod windows;
