//! `cargo demo`: the main job, from nothing, with real processes, told step by step.
//!
//! Everything happens in a temporary folder. `--keep` leaves the agent running there and prints
//! the commands to try. Any answer that is not the expected one ends it with exit code 1.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use farhold_tests::demo;

fn main() -> ExitCode {
    let mut keep = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--keep" => keep = true,
            "-h" | "--help" => {
                println!(
                    "usage: cargo demo [--keep]\n\n  --keep  leave the agent running and print the commands to try"
                );
                return ExitCode::SUCCESS;
            }
            other => {
                eprintln!("error: {other:?} is not an option\n  try: cargo demo --help");
                return ExitCode::from(2);
            }
        }
    }
    match demo::run(keep) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demonstration failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
