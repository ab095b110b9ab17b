//! Process: what a running one takes, as the system counts it.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// Ticks in a second of `/proc/*/stat`, on every Linux that anyone runs.
const TICK: Duration = Duration::from_millis(10);

/// What a process has in memory, in bytes (`VmRSS`).
///
/// # Errors
/// If it is gone.
pub(super) fn resident_bytes(process: u32) -> Result<u64> {
    status_bytes(process, "VmRSS:")
}

/// The most it has had in memory since it began, in bytes (`VmHWM`).
///
/// # Errors
/// If it is gone.
pub(super) fn peak_bytes(process: u32) -> Result<u64> {
    status_bytes(process, "VmHWM:")
}

/// The time it has had a processor, all its threads together.
///
/// # Errors
/// If it is gone.
pub(super) fn processor_time(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // Its name, in parentheses, may hold anything; utime and stime are fields 14 and 15.
    let (_, rest) = stat.rsplit_once(')').context("the system tells no name")?;
    let ticks: Vec<u32> =
        rest.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(TICK * ticks.iter().sum())
}

/// Lets this process, and those it starts, have as many files open as the system allows.
///
/// # Errors
/// If the system refuses.
pub(super) fn raise_open_files() -> Result<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .context("the number of open files can't be raised")?;
    Ok(maximum.unwrap_or(u64::MAX))
}

fn status_bytes(process: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib: u64 = line
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .with_context(|| format!("the system tells no {name}"))?
        .trim()
        .parse()?;
    Ok(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_memory_and_a_processor() {
        let own = std::process::id();
        let begun = processor_time(own).unwrap();
        while processor_time(own).unwrap() == begun {}
        // The peak is asked last: it can only have grown meanwhile.
        let resident = resident_bytes(own).unwrap();
        assert!(peak_bytes(own).unwrap() >= resident);
    }
}
