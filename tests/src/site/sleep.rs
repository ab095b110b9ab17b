//! Sleep: a machine that was suspended, by a time namespace of the system's.
//!
//! In it `CLOCK_BOOTTIME` is ahead by as long as the machine is to have slept; the boot is the same
//! and the wall is the real one. To the agent that is a suspend after which somebody set the wall
//! back by as much. Needs root (`CAP_SYS_ADMIN`), Linux 5.6 and util-linux 2.36.

use std::{
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

/// Whether this machine allows it, or a loud word that the test did not run.
///
/// A test that needs it begins with `if !sleep::is_possible("its name") { return };`.
pub fn is_possible(test: &str) -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    let possible = *KNOWN.get_or_init(|| {
        let mut tried = after(&Command::new("true"), Duration::from_secs(1));
        tried.stdout(Stdio::null()).stderr(Stdio::null());
        tried.status().is_ok_and(|ended| ended.success())
    });
    if !possible {
        eprintln!("SKIPPED: {test}: no time namespaces here");
    }
    possible
}

/// The same command on a machine that has slept so long. The process keeps its number.
pub fn after(command: &Command, time: Duration) -> Command {
    let seconds = time.as_secs().to_string();
    wrapped(&["unshare", "--time", "--boottime", &seconds, "--"], command)
}

/// A command by another program that runs it in the end.
pub(super) fn wrapped(before: &[&str], command: &Command) -> Command {
    let mut there = Command::new(before[0]);
    there.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    there.args(&before[1..]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        value.map(|value| there.env(name, value));
    }
    if let Some(folder) = command.get_current_dir() {
        there.current_dir(folder);
    }
    there
}
