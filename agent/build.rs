//! Has the linker pack the relative relocations of a static binary: 24 bytes each become two bits.

use std::{env, process::Command};

/// The first glibc whose static start unpacks them: one linked with an older would not start.
const UNPACKS: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let has = |name: &str, wanted: &str| {
        env::var(name).is_ok_and(|value| value.split(',').any(|part| part == wanted))
    };
    let of_host = env::var("HOST") == env::var("TARGET");
    let is_static =
        has("CARGO_CFG_TARGET_ENV", "gnu") && has("CARGO_CFG_TARGET_FEATURE", "crt-static");
    if of_host && is_static && glibc_version().is_some_and(|version| version >= UNPACKS) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// What is installed here, as its own tool says: `glibc 2.36`.
fn glibc_version() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
