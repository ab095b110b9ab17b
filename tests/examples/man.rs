//! Writes the man pages of a program, one for each of its verbs, from the definitions that parse
//! its command line: `cargo run --package farhold-tests --example man -- farhold FOLDER`.
#![forbid(unsafe_code)]

use std::{io, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, folder] = arguments.as_slice() else {
        eprintln!("usage: man farhold|farhold-kernel|license-tool FOLDER");
        return ExitCode::from(2);
    };
    match write(program, folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the man pages of {program} in {folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(program: &str, folder: &str) -> io::Result<()> {
    let command = match program {
        "farhold" => farhold_agent::cli::command(),
        "farhold-kernel" => farhold_kernel::cli::command(),
        "license-tool" => license_tool::cli::command(),
        other => return Err(io::Error::other(format!("no program of ours is called {other}"))),
    };
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}
