//! Bar 4: what a detached agent takes: memory, disk, and the time of a start with a long queue.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    load::{fill, once, repeat},
    process::resident_bytes,
    report::{Bar, Report},
    samples::Samples,
    subject::Subject,
};
use crate::site::Vendor;

const IDLE: Duration = Duration::from_secs(10);
const BACKLOG: usize = 1_000_000;
const BATCH: usize = 1_000;
const STARTS: usize = 5;
const MEGABYTE: f64 = 1e6;

/// Measures it.
///
/// # Errors
/// If the agent can't be run.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    report.part(&format!("At rest (detached, license of 10 entitlements, {} s)", IDLE.as_secs()));
    let mut subject = Subject::new(&Vendor::new(), 10)?;
    // A fresh process, as a machine starts it: not the one that was just set up.
    subject.site.stopped().started();
    thread::sleep(IDLE);
    let idle = resident_bytes(subject.site.agent().id())? as f64 / MEGABYTE;
    report.bar("resident memory at rest", &idle.into(), "MB", Bar::AtMost(12.0));

    report.part(&format!(
        "{BACKLOG} events waiting, kill -9, start ({STARTS} times, page cache warm)"
    ));
    let before = stored_bytes(&subject.site.state())?;
    let begun = Instant::now();
    fill(subject.address(), BACKLOG / BATCH, &subject.events(BATCH))?;
    let filled = BACKLOG as f64 / begun.elapsed().as_secs_f64();
    report.figure(&format!("filled in batches of {BATCH}"), &filled.into(), "events/s");
    let grown = stored_bytes(&subject.site.state())?.saturating_sub(before) as f64;
    report.figure("on disk", &(grown / BACKLOG as f64).into(), "B/event");
    let (mut first_answers, mut resident) = (Samples::default(), Samples::default());
    for _ in 0..STARTS {
        // Something is always in the write-ahead log when the power goes.
        repeat(subject.address(), 20, &subject.events(100))?;
        subject.site.killed();
        let begun = Instant::now();
        subject.site.started();
        once(subject.address(), &subject.one_event())?;
        first_answers.add(begun.elapsed().as_secs_f64() * 1e3);
        resident.add(resident_bytes(subject.site.agent().id())? as f64 / MEGABYTE);
    }
    report.bar("exec → first durable event", &first_answers, "ms", Bar::AtMost(250.0));
    report.figure("resident memory then", &resident, "MB");
    Ok(())
}

/// Database, log and index of the log.
fn stored_bytes(state: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(state)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("agent.db") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
