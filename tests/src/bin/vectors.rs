//! Writes `specs/vectors`; with `--check` only says how they differ.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use farhold_tests::vectors;

fn main() -> anyhow::Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        None => {
            println!("{} vectors written", vectors::write()?);
            Ok(ExitCode::SUCCESS)
        }
        Some("--check") => {
            let drift = vectors::drift()?;
            drift.iter().for_each(|line| println!("{line}"));
            Ok(if drift.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(other) => {
            eprintln!("{other} is not an option; there is --check");
            Ok(ExitCode::from(2))
        }
    }
}
