//! `farhold-kernel`: the reference control plane and every verb that governs it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    farhold_kernel::cli::main()
}
