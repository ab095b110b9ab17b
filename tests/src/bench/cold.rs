//! Cold: a start with a long queue, no network, and nothing of it in the page cache.

use std::{fs, time::Instant};

use anyhow::{Context, Result};

use super::{
    linked::{FEATURE, Linked, POSTED},
    load::{once, repeat},
    process::resident_bytes,
    product::Content,
    report::{Bar, Report},
    samples::Samples,
};
use crate::site::Vendor;

const WAITING: usize = 1_000_000;
const STARTS: usize = 5;
const EVENT: Content = Content::Alike(375);
const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";

/// Measures it.
///
/// # Errors
/// If agent or Kernel can't be run.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    report.part(&format!(
        "{WAITING} events waiting, managed, the Kernel unreachable, kill -9, start ({STARTS} times)"
    ));
    let vendor = Vendor::new();
    let mut linked = Linked::new(&vendor)?;
    linked.kernel.stopped();
    let begun = Instant::now();
    linked.fill(WAITING, EVENT)?;
    let filled = WAITING as f64 / begun.elapsed().as_secs_f64();
    report.figure(&format!("filled in batches of {POSTED}"), &filled.into(), "events/s");

    let warm = starts(&mut linked, || Ok(()))?;
    match drop_caches() {
        Ok(()) => {
            report.note(&format!("the page cache is dropped before each start ({DROP_CACHES})"));
            let cold = starts(&mut linked, drop_caches)?;
            let named = "cold, exec → first answer, a check";
            report.bar(named, &cold.check, "ms", Bar::AtMost(100.0));
            report.figure("cold, exec → first durable event", &cold.event, "ms");
            report.figure("warm, exec → first answer, a check", &warm.check, "ms");
        }
        Err(error) => {
            report.absent("a start without page cache", &error);
            let named = "warm, exec → first answer, a check";
            report.bar(named, &warm.check, "ms", Bar::AtMost(100.0));
        }
    }
    report.figure("warm, exec → first durable event", &warm.event, "ms");
    report.figure("resident memory then", &warm.resident, "MB");
    Ok(())
}

/// What several starts came to.
#[derive(Default)]
struct Starts {
    /// Milliseconds to the answer of a check.
    check: Samples,
    /// Milliseconds to the answer of a durable event, asked after it.
    event: Samples,
    /// Megabytes after both.
    resident: Samples,
}

fn starts(linked: &mut Linked, before_each: impl Fn() -> Result<()>) -> Result<Starts> {
    let (check, event) = (linked.product.check(FEATURE), linked.product.one_event(EVENT));
    let address = linked.product.address();
    let mut starts = Starts::default();
    for _ in 0..STARTS {
        // Something is always in the write-ahead log when the power goes.
        repeat(address, 20, &linked.product.events(100, EVENT))?;
        linked.site.killed();
        before_each()?;
        let begun = Instant::now();
        linked.site.started();
        once(address, &check)?;
        starts.check.add(begun.elapsed().as_secs_f64() * 1e3);
        once(address, &event)?;
        starts.event.add(begun.elapsed().as_secs_f64() * 1e3);
        starts.resident.add(resident_bytes(linked.site.agent().id())? as f64 / 1e6);
    }
    Ok(starts)
}

/// Leaves no page of a file in memory, where the machine allows it.
fn drop_caches() -> Result<()> {
    // Pages that are not on the disk yet can't be dropped.
    rustix::fs::sync();
    fs::write(DROP_CACHES, "3").with_context(|| format!("{DROP_CACHES} can't be written"))
}
