//! The least that could answer: what the agent's speed is held against.
//!
//! `limit check BODY-FILE` or `limit events DATABASE`; it prints the address at which it serves.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use farhold_tests::bench::limit;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match limit::run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
