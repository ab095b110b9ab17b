//! Managed: what an enrolled agent takes while it is online and nothing happens.

use std::{thread, time::Duration};

use anyhow::Result;

use super::{
    linked::Linked,
    process::{peak_bytes, resident_bytes},
    report::{Bar, Report},
};
use crate::site::Vendor;

/// The Kernel is heard every second: so many heartbeats.
const IDLE: Duration = Duration::from_secs(15);
const MEGABYTE: f64 = 1e6;

/// Measures it.
///
/// # Errors
/// If agent or Kernel can't be run.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    report.part(&format!(
        "At rest, managed (enrolled, online, {} heartbeats, one a second)",
        IDLE.as_secs()
    ));
    let vendor = Vendor::new();
    let mut linked = Linked::new(&vendor)?;
    // Fresh processes, as machines start them: not the ones that were just set up.
    linked.kernel.stopped().started();
    linked.site.stopped().started();
    linked.site.is_ready();
    thread::sleep(IDLE);
    linked.site.drains();
    let (agent, kernel) = (linked.site.agent().id(), linked.kernel.process().id());
    let megabytes = |bytes: u64| (bytes as f64 / MEGABYTE).into();
    let resident = megabytes(resident_bytes(agent)?);
    report.bar("agent, resident memory", &resident, "MB", Bar::AtMost(15.0));
    report.figure("agent, most since its start", &megabytes(peak_bytes(agent)?), "MB");
    report.figure("Kernel, resident memory", &megabytes(resident_bytes(kernel)?), "MB");
    report.figure("Kernel, most since its start", &megabytes(peak_bytes(kernel)?), "MB");
    Ok(())
}
