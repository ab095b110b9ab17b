//! What somebody does who is let in and means harm: an enrolled agent, a product with a token, a
//! stranger at a door, a Kernel in other hands. Each claim is how it must end.
//!
//! What does not end so yet is `#[ignore = "defect: …"]`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod alerts;
mod beginning_anew;
mod doors;
mod false_kernel;
mod floods;
mod hearsay;
mod line;
mod rogue;
mod stolen;
mod taken_over;
