//! The body of every call. v0.2's additions are optional members of v0.1's bodies.

pub mod batch;
pub mod check;
pub mod enroll;
pub mod events;
pub mod flags;
pub mod heartbeat;
pub mod register;
pub mod resolve;
