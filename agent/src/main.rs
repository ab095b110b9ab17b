//! `farhold`: the agent of a site and every verb that looks after it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    farhold_agent::cli::main()
}
