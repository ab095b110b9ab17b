//! Whole-system tests, the demonstration and the benches: everything here runs the real binaries.
#![forbid(unsafe_code)]

pub mod bench;
pub mod binaries;
pub mod demo;
pub mod http;
pub mod kernel_process;
pub mod net;
pub mod schema;
pub mod site;
pub mod vectors;
