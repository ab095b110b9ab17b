//! The binary `license-tool`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    license_tool::cli::run()
}
