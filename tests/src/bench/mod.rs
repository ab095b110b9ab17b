//! The benches: the shipped binary, its peers and its limits, side by side in one run.
//!
//! Every comparison runs in alternating rounds and is judged by the median of the rounds'
//! ratios: a machine that is slow for a minute is slow for both sides. Everything is on
//! loopback and bounded in time.

mod activate;
mod cerbos;
mod checks;
mod cold;
mod drain;
mod events;
mod fleet;
mod footprint;
mod issue;
pub mod limit;
mod linked;
mod load;
mod managed;
mod process;
mod product;
mod redis;
mod report;
mod samples;
mod server;
mod sizes;
mod stand_in;
mod subject;
mod template;
mod verification;
mod wire;
mod wrk;

use std::time::Instant;

use anyhow::{Result, bail};

use crate::binaries;
use report::Report;

/// Where a check is asked.
pub(crate) const CHECK_PATH: &str = "/kernel/entitlements/check";
/// Where events are handed over.
pub(crate) const EVENTS_PATH: &str = "/kernel/audit/events";

type Part = fn(&mut Report) -> Result<()>;

const PARTS: [(&str, Part); 11] = [
    ("checks", checks::measure),
    ("events", events::measure),
    ("verification", verification::measure),
    ("sizes", sizes::measure),
    ("footprint", footprint::measure),
    ("managed", managed::measure),
    ("cold", cold::measure),
    ("drain", drain::measure),
    ("fleet", fleet::measure),
    ("activate", activate::measure),
    ("issue", issue::measure),
];
/// Those held against a bare server.
const BESIDE_A_LIMIT: [&str; 2] = ["checks", "events"];

/// Runs every part, or those named, and prints what they came to.
///
/// # Errors
/// A name of no part, or a part that can't be measured; a bar that is not met is printed, and no
/// error.
pub fn run(only: &[String]) -> Result<()> {
    let names = PARTS.map(|(name, _)| name);
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no part {unknown}; there are {}", names.join(", "));
    }
    let is_wanted = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    // Built before anything is timed.
    binaries::path("farhold");
    if BESIDE_A_LIMIT.into_iter().any(is_wanted) {
        server::limit_binary()?;
    }
    let begun = Instant::now();
    let mut report = Report::default();
    machine(&report);
    for (_, part) in PARTS.into_iter().filter(|(name, _)| is_wanted(name)) {
        part(&mut report)?;
    }
    report.close();
    println!("took {} s", begun.elapsed().as_secs());
    Ok(())
}

/// What kind of machine it is; no name of it.
fn machine(report: &Report) {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory_kib: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or_default();
    report.part("Machine");
    report.note(&format!("{cores} cores, {} GiB of memory", memory_kib.div_ceil(1024 * 1024)));
    report.note("medians of alternating rounds, (least–most) beside them; ratios round by round");
}
