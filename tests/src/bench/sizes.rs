//! Sizes: the shipped binaries.

use std::{fs, process::Command};

use anyhow::Result;

use super::{
    report::{Bar, Report},
    server::printed,
};
use crate::binaries;

const MEBIBYTE: f64 = 1_048_576.0;

/// Measures them.
///
/// # Errors
/// If one is not there.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    report.part("Binaries, stripped");
    for name in ["farhold", "farhold-kernel", "license-tool"] {
        let path = binaries::path(name);
        let size = (fs::metadata(&path)?.len() as f64 / MEBIBYTE).into();
        match name {
            "farhold" => report.bar(name, &size, "MiB", Bar::AtMost(12.0)),
            _ => report.figure(name, &size, "MiB"),
        }
        let told = printed(Command::new("ldd").arg(&path))
            .unwrap_or_else(|error| error.to_string())
            .trim()
            .to_owned();
        let is_static =
            told.contains("statically linked") || told.contains("not a dynamic executable");
        let last = told.lines().last().unwrap_or_default().trim();
        report.fact("  statically linked", is_static, &format!("ldd: {last}"));
    }
    match printed(Command::new("file").arg("--brief").arg(binaries::path("farhold"))) {
        Ok(told) => report.note(&format!("file: {}", told.trim())),
        Err(error) => report.absent("file", &error),
    }
    Ok(())
}
