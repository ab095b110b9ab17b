//! The Kernel's side of the contract, through the router, over a storage of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod ask;
mod caller;
mod check;
mod consume;
mod events;
mod flags;
mod heartbeat;
mod isolation;
mod issuer;
mod kernel;
mod machine;
mod overload;
mod provider;
mod register;
mod resolve;
mod standing;
mod token;
mod vendor;
