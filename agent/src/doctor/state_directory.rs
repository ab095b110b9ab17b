//! `state-directory`: it is there, its owner's alone, writable, and has room for the queue.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::{fs::StatVfsMountFlags, process::geteuid};

use crate::{
    cap::cap_bytes,
    config::{Config, bytes_for_people},
};

use super::{Site, Verdict};

pub(super) const ID: &str = "state-directory";

pub(super) fn examine(site: &Site) -> Verdict {
    let config = match site.config() {
        Ok(config) => config,
        Err(error) => return Verdict::failed(error.to_string(), error.next_action()),
    };
    let state = &config.state_dir;
    ownership(state)
        .and_then(|()| writable(state))
        .and_then(|()| room(config))
        .unwrap_or_else(|verdict| verdict)
}

/// Either goes on, or has found what to report.
type Step<T = ()> = Result<T, Verdict>;

fn ownership(state: &Path) -> Step {
    let metadata = state.symlink_metadata().map_err(|error| absent(state, &error))?;
    let path = state.display();
    if !metadata.is_dir() {
        return Err(Verdict::failed(
            format!("{path} is not a directory"),
            "Move it away and start the agent, which makes the directory.",
        ));
    }
    let mode = metadata.mode() & 0o7777;
    if mode != 0o700 {
        return Err(Verdict::failed(
            format!("{path} has mode {mode:04o}, not 0700"),
            format!("chmod 0700 {path}"),
        ));
    }
    let euid = geteuid().as_raw();
    if euid != 0 && euid != metadata.uid() {
        return Err(Verdict::failed(
            format!("{path} belongs to user {}, and this is user {euid}", metadata.uid()),
            "Run this check as root or as the agent's user.",
        ));
    }
    let foreign = foreign(state, metadata.uid()).map_err(|error| absent(state, &error))?;
    match foreign {
        None => Ok(()),
        Some(path) => Err(Verdict::failed(
            format!("{} belongs to another user than its directory", path.display()),
            format!("chown -R --reference={0} {0}", state.display()),
        )),
    }
}

fn absent(state: &Path, error: &io::Error) -> Verdict {
    Verdict::failed(
        format!("{} can't be used: {error}", state.display()),
        "Start the agent once, which makes it, or check the rights of the folders above it.",
    )
}

/// What another user left behind is what the agent can't open tomorrow.
fn foreign(state: &Path, owner: u32) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(state)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) if metadata.uid() != owner => return Ok(Some(entry.path())),
            // A temporary file of the running agent, gone already.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(None)
}

fn writable(state: &Path) -> Step {
    let filesystem = rustix::fs::statvfs(state).map_err(|error| absent(state, &error.into()))?;
    if filesystem.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(Verdict::failed(
            format!("{} is on a filesystem mounted read-only", state.display()),
            "Mount it writable, or move state_dir; read the system's log for disk errors.",
        ));
    }
    Ok(())
}

fn room(config: &Config) -> Step<Verdict> {
    let state = &config.state_dir;
    let cap = cap_bytes(config.queue_cap_bytes, state);
    let used = used_bytes(state).map_err(|error| absent(state, &error))?;
    let free = rustix::fs::statvfs(state)
        .map_err(|error| absent(state, &error.into()))
        .map(|filesystem| filesystem.f_bavail.saturating_mul(filesystem.f_frsize))?;
    let wanted = cap.saturating_sub(used);
    let told = format!(
        "{} free, {} of the queue's cap of {} used",
        bytes_for_people(free),
        bytes_for_people(used),
        bytes_for_people(cap)
    );
    if free < wanted {
        let what = format!("the disk would be full before the queue is: {told}");
        return Ok(Verdict::warning(what, "Free space, or set queue.cap lower."));
    }
    Ok(Verdict::ok(format!("{} is in order: {told}", state.display())))
}

fn used_bytes(state: &Path) -> io::Result<u64> {
    let mut used = 0;
    for entry in fs::read_dir(state)? {
        match entry?.metadata() {
            // What is allotted, not what is addressed: blocks are 512 bytes (stat(2)).
            Ok(metadata) if metadata.is_file() => used += metadata.blocks() * 512,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(used)
}
