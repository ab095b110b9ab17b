//! The contract's calls, one a file.

pub(crate) mod check;
pub(crate) mod contract;
pub(crate) mod events;
pub(crate) mod flags;
pub(crate) mod heartbeat;
pub(crate) mod register;
pub(crate) mod resolve;
