//! What hostile bytes are given to: one body a target.
#![forbid(unsafe_code)]

pub mod bodies;
