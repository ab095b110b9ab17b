//! The vendor's Kernel, as a process.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{site::free_address, stage::Stage};

/// The Kernel with its data directory.
pub(super) struct Kernel<'s> {
    stage: &'s Stage,
    program: &'s Path,
    folder: PathBuf,
    listen: SocketAddr,
    process: Option<Child>,
}

const DATA: &str = "kernel";

impl<'s> Kernel<'s> {
    /// Makes the data directory; returns the public half of the receipt key, too.
    pub(super) fn init(
        stage: &'s Stage,
        program: &'s Path,
        folder: &Path,
    ) -> Result<(Self, String)> {
        let (listen, admin) = (free_address()?, free_address()?);
        let kernel = Self { stage, program, folder: folder.to_owned(), listen, process: None };
        let made = kernel.json(&["init", "--host", "localhost"])?;
        // Heartbeats every second and not every minute: nobody wants to wait for a demonstration.
        let config = format!(
            "listen = \"{listen}\"\nadmin_listen = \"{admin}\"\nhost_names = [\"localhost\"]\npublic_url = \"https://localhost:{}\"\npoll_after_s = 1\n",
            listen.port()
        );
        fs::write(folder.join(DATA).join("kernel.toml"), config)?;
        let key = made["receipt_key"].as_str().context("init names no receipt key")?.to_owned();
        Ok((kernel, key))
    }

    /// Starts the Kernel and waits until its administrator is answered.
    pub(super) fn start(&mut self) -> Result<()> {
        self.stage.show("farhold-kernel", &["run", "--data", DATA]);
        let log = File::options().create(true).append(true).open(self.folder.join("kernel.log"))?;
        let child = Command::new(self.program)
            .current_dir(&self.folder)
            .args(["run", "--data", DATA])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("farhold-kernel can't be started")?;
        self.process = Some(child);
        super::until("the Kernel to answer", || {
            let status = Command::new(self.program)
                .current_dir(&self.folder)
                .args(["status", "--data", DATA])
                .output()?;
            Ok(status.status.success())
        })
        .with_context(|| fs::read_to_string(self.folder.join("kernel.log")).unwrap_or_default())?;
        self.stage.answer(&format!("the Kernel listens at {}", self.listen));
        Ok(())
    }

    /// SIGKILL: no chance to write anything more.
    pub(super) fn kill(&mut self) -> Result<()> {
        let mut child = self.process.take().context("no Kernel runs")?;
        self.stage.show("kill", &["-9", &child.id().to_string()]);
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Runs a verb that must succeed.
    pub(super) fn verb(&self, arguments: &[&str]) -> Result<String> {
        let mut all = arguments.to_vec();
        all.extend(["--data", DATA]);
        self.stage.run_well(&self.folder, self.program, &all, 3)
    }

    /// Runs a verb and reads its answer as a program would.
    pub(super) fn json(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = arguments.to_vec();
        all.extend(["--data", DATA, "--json"]);
        let text = self.stage.run_well(&self.folder, self.program, &all, 0)?;
        serde_json::from_str(&text).context("farhold-kernel printed no JSON")
    }

    /// How often each event of an organization's product is in the Kernel's own view: once.
    pub(super) fn has_each_once(&self, tenant: &str, kind: &str, wanted: &[String]) -> Result<()> {
        let found = self.json(&["audit", "search", "--tenant", tenant, "--type", kind])?;
        let events = found["events"].as_array().context("audit search lists no events")?;
        for id in wanted {
            let times = events
                .iter()
                .filter(|entry| entry["event"]["event_id"].as_str() == Some(id))
                .count();
            ensure!(times == 1, "event {id} is {times} times at the Kernel");
        }
        ensure!(
            events.len() == wanted.len(),
            "the Kernel has {} events of type {kind}, not {}",
            events.len(),
            wanted.len()
        );
        let verified = self.json(&["audit", "verify"])?;
        ensure!(verified["intact"] == true, "a chain is broken: {verified}");
        self.stage.answer(&format!(
            "{} events at the Kernel, each once; every chain is whole",
            wanted.len()
        ));
        Ok(())
    }
}

impl Drop for Kernel<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
