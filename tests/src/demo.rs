//! The demonstration: a vendor with its Kernel, a site without a network, a site with one, and
//! their products.

mod detached;
mod kernel;
mod linked;
mod product;
mod site;
mod stage;
mod vendor;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use detached::{CONTOSO, Left};
use kernel::Kernel;
use stage::Stage;
use vendor::Vendor;

/// Tells the story; the first thing that is not as it should be is the error.
///
/// # Errors
/// What was not as it should be.
pub fn run(keep: bool) -> Result<()> {
    let stage = Stage::new();
    stage.say("Farhold: a vendor's word, kept inside a customer's network.");
    stage.say("Everything below is real: real keys, real processes, a real database.");
    stage.aside("Building the binaries as they are shipped; the first time this takes minutes.");
    let tool = crate::binaries::path("license-tool");
    let agent = crate::binaries::path("farhold");
    let control_plane = crate::binaries::path("farhold-kernel");
    let began = Instant::now();
    let folder = tempfile::Builder::new()
        .prefix("farhold-demo-")
        .tempdir()
        .context("no temporary folder")?;
    stage.aside(&format!("Working in {}", folder.path().display()));

    stage.step("At the vendor: a Kernel, keys, and a trust root that names them");
    let (kernel, receipt_key) = Kernel::init(&stage, &control_plane, folder.path())?;
    let mut vendor = Vendor::new(&stage, &tool, folder.path())?;
    let root_sha256 = vendor.make_root(&receipt_key)?;
    stage.say("The hash of the root is the one thing a site must get over another channel.");

    stage.chapter("Without a network");
    let left = detached::tell(&stage, &agent, &mut vendor, folder.path(), &root_sha256)?;
    stage.chapter("With a network");
    linked::tell(&stage, &agent, &vendor, kernel, folder.path(), &left.root_sha256)?;

    stage.done(began.elapsed());
    if keep {
        let Left { site, token, runtime_id, .. } = left;
        site.leave_running(folder, &token, &runtime_id, CONTOSO);
    }
    Ok(())
}

/// Looks again and again until something is so, for at most 30 seconds.
fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !is_so()? {
        ensure!(began.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Whether every member of `expected` is in `actual`, at any depth.
fn contains(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| actual.get(key).is_some_and(|found| contains(found, value))),
        (actual, expected) => actual == expected,
    }
}
