//! Whole-system tests, the demonstration and the benches: everything here runs the real binaries.
#![forbid(unsafe_code)]

pub mod binaries;
