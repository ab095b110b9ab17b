//! wrk: the load generator of the look-only checks.

use std::{
    fmt::Write,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::server::{printed, program};

/// A request that wrk repeats.
pub(super) struct Wrk {
    program: PathBuf,
    script: PathBuf,
    url: String,
}

/// What a round came to.
#[derive(Debug, Clone)]
pub(super) struct Round {
    /// Answers a second.
    pub(super) per_second: f64,
    /// The time half of the answers took at most, as wrk tells it.
    pub(super) p50: String,
    /// The time 99 of 100 answers took at most.
    pub(super) p99: String,
}

impl Wrk {
    /// A JSON post with these headers.
    ///
    /// # Errors
    /// If wrk is not installed.
    pub(super) fn post(
        folder: &Path,
        name: &str,
        address: SocketAddr,
        path: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<Self> {
        let mut lua = format!("wrk.method = 'POST'\nwrk.body = [==[{body}]==]\n");
        writeln!(lua, "wrk.headers['content-type'] = 'application/json'")?;
        for (name, value) in headers {
            writeln!(lua, "wrk.headers['{name}'] = '{value}'")?;
        }
        let script = folder.join(format!("{name}.lua"));
        fs::write(&script, lua)?;
        let url = format!("http://{address}{path}");
        Ok(Self { program: program("wrk")?, script, url })
    }

    /// Posts over so many connections for so many seconds.
    ///
    /// # Errors
    /// Any answer that is not 2xx.
    pub(super) fn round(&self, connections: u32, seconds: u32) -> Result<Round> {
        let mut command = Command::new(&self.program);
        // One thread: the server has the other core, as a product beside it would leave it.
        command.args(["-t", "1", "-c", &connections.to_string(), "--latency"]);
        command.args(["-d", &format!("{seconds}s"), "-s"]).arg(&self.script).arg(&self.url);
        let told = printed(&mut command)?;
        if told.contains("Non-2xx") || told.contains("Socket errors") {
            bail!("{} does not answer as it should:\n{told}", self.url);
        }
        let after = |label: &str| {
            let line = told.lines().find_map(|line| line.trim().strip_prefix(label));
            line.map(|rest| rest.trim().to_owned()).with_context(|| format!("wrk told no {label}"))
        };
        Ok(Round {
            per_second: after("Requests/sec:")?.parse()?,
            p50: after("50%")?,
            p99: after("99%")?,
        })
    }
}
