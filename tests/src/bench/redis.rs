//! Redis: a log that syncs each group before it answers, as its users run it for durability.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};

use super::{
    server::{Server, free_port, printed, program},
    subject::EVENT_BYTES,
};

/// A running Redis with `appendfsync always`.
pub(super) struct Redis {
    server: Server,
    /// What it calls itself.
    pub(super) version: String,
}

impl Redis {
    /// Starts it in a folder.
    ///
    /// # Errors
    /// If it is not installed or does not start.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let binary = program("redis-server")?;
        program("redis-benchmark")?;
        let told = printed(Command::new(&binary).arg("--version"))?;
        let version = told.split_whitespace().find_map(|word| word.strip_prefix("v="));
        let version = format!("Redis {}", version.unwrap_or_default());
        let port = free_port()?;
        let mut command = Command::new(binary);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no"]);
        command.arg("--dir").arg(folder);
        Ok(Self { server: Server::at(command, port)?, version })
    }

    /// Adds so many entries of [`EVENT_BYTES`] from so many clients, so many at a time;
    /// entries a second, durable before they are answered.
    ///
    /// # Errors
    /// If it can't be run.
    pub(super) fn adds(&self, entries: u32, clients: u32, pipelined: u32) -> Result<f64> {
        let mut command = Command::new(program("redis-benchmark")?);
        command.args(["-h", "127.0.0.1", "-p", &self.server.address().port().to_string(), "-q"]);
        command.args(["-n", &entries.to_string(), "-c", &clients.to_string()]);
        command.args(["-P", &pipelined.to_string()]);
        command.args(["XADD", "events", "*", "event", &"e".repeat(EVENT_BYTES)]);
        let told = printed(&mut command)?;
        // It prints its progress over and over; the last word counts.
        let (before, _) =
            told.rsplit_once(" requests per second").context("redis-benchmark told no figure")?;
        let figure = before.rsplit([' ', '\r', '\n']).next().unwrap_or_default();
        figure.parse().with_context(|| format!("{figure:?} is no figure"))
    }
}
