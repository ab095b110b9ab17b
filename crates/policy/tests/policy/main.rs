//! What the calculator of decisions promises, as named claims and as properties against a naive
//! model of the same rules (`tests/reference/`).
#![allow(clippy::unwrap_used, clippy::panic)] // a test that can't go on has failed
#![allow(unreachable_pub)] // a test binary has no outside

mod barred;
mod changes;
mod clock;
mod conditions;
mod dates;
mod decisions;
mod flags;
mod ladders;
mod milestones;
mod outlook;
mod properties;
mod quotas;
#[path = "../reference/mod.rs"]
mod reference;
mod registration;
mod simulation;
mod support;
mod supposed_clock;
mod wall_standing;
mod windows;
