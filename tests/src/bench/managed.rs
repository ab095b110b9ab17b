//! Managed: what an enrolled agent takes while it is online and nothing happens.

use std::{thread, time::Duration};

use anyhow::Result;

use super::{
    linked::Linked,
    process::{peak_bytes, resident_bytes},
    report::{Bar, Report},
    samples::Samples,
};
use crate::site::Vendor;

/// The Kernel is heard every second: so many heartbeats.
const IDLE: Duration = Duration::from_secs(10);
const STARTS: usize = 3;
const MEGABYTE: f64 = 1e6;

/// Measures it.
///
/// # Errors
/// If agent or Kernel can't be run.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    report.part(&format!(
        "At rest, managed (enrolled, online, {} heartbeats, one a second; {STARTS} starts)",
        IDLE.as_secs()
    ));
    let vendor = Vendor::new();
    let mut linked = Linked::new(&vendor)?;
    let mut agent = (Samples::default(), Samples::default());
    let mut kernel = (Samples::default(), Samples::default());
    for _ in 0..STARTS {
        // Fresh processes, as machines start them: not the ones that were just set up.
        linked.kernel.stopped().started();
        linked.site.stopped().started();
        linked.site.is_ready();
        thread::sleep(IDLE);
        linked.site.drains();
        for (process, (resident, peak)) in
            [(linked.site.agent().id(), &mut agent), (linked.kernel.process().id(), &mut kernel)]
        {
            resident.add(resident_bytes(process)? as f64 / MEGABYTE);
            peak.add(peak_bytes(process)? as f64 / MEGABYTE);
        }
    }
    report.bar("agent, resident memory", &agent.0, "MB", Bar::AtMost(15.0));
    report.figure("agent, most since its start", &agent.1, "MB");
    report.figure("Kernel, resident memory", &kernel.0, "MB");
    report.figure("Kernel, most since its start", &kernel.1, "MB");
    Ok(())
}
