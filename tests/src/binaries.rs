//! The shipped binaries, built once: tests, demonstration and benches run what a site installs.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The path of a binary: `farhold`, `farhold-kernel` or `license-tool`, static and optimized as
/// packages ship it.
///
/// Where `FARHOLD_BIN_DIR` names a folder, its binaries are taken as they are: an installed
/// package's, or a debug build while a test is being written.
///
/// # Panics
/// If it can't be built: nothing that depends on it means anything then.
pub fn path(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(build).join(name)
}

/// The folder of the whole project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the project")
}

fn build() -> PathBuf {
    if let Some(folder) = std::env::var_os("FARHOLD_BIN_DIR") {
        return PathBuf::from(folder);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = host_triple();
    let status = Command::new(cargo)
        .current_dir(project())
        .args(["build", "--quiet", "--locked", "--release", "--bins", "--target", &target])
        .args(["--package", "farhold-agent", "--package", "farhold-kernel"])
        .args(["--package", "license-tool"])
        // With --target named, the flag reaches the binaries and not the compiler's own plugins.
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "the binaries can't be built");
    target_directory().join(target).join("release")
}

fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project().join("target"), PathBuf::from)
}

fn host_triple() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().expect("rustc can be started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host")
        .to_owned()
}
