//! `just bench`: every figure side by side with its peer or its limit, in one run.
//!
//! A bar that is not met is printed so; only a run that could not measure fails.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use farhold_tests::bench;

fn main() -> ExitCode {
    let only: Vec<String> = std::env::args().skip(1).collect();
    match bench::run(&only) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe benchmark could not be run: {error:#}");
            ExitCode::FAILURE
        }
    }
}
