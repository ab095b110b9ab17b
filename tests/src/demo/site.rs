//! A site: one agent, with its folders.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::http::Address;

use super::stage::Stage;

/// The agent as a process, with its folders.
pub(super) struct Site<'s> {
    stage: &'s Stage,
    agent: &'s Path,
    folder: PathBuf,
    address: SocketAddr,
    process: Option<Child>,
}

const CONFIG: &str = "agent.toml";

impl<'s> Site<'s> {
    /// A site behind an air gap.
    pub(super) fn detached(
        stage: &'s Stage,
        agent: &'s Path,
        folder: &Path,
        tenant: &str,
    ) -> Result<Self> {
        let mode = format!("mode = \"detached\"\ntenant_id = \"{tenant}\"\n");
        Self::start(stage, agent, folder, &mode, "")
    }

    /// A site with a network; where to, its enrollment will say.
    pub(super) fn managed(stage: &'s Stage, agent: &'s Path, folder: &Path) -> Result<Self> {
        fs::create_dir(folder)?;
        // One agent needs no spreading out in time.
        Self::start(stage, agent, folder, "", "\n[link]\nreconnect_spread = 0\n")
    }

    /// Writes a configuration and starts the agent.
    fn start(
        stage: &'s Stage,
        agent: &'s Path,
        folder: &Path,
        top: &str,
        tables: &str,
    ) -> Result<Self> {
        let address = free_address()?;
        let config = format!(
            "{top}state_dir = \"{0}/state\"\nruntime_dir = \"{0}/run\"\n\n[local]\ntcp = \"{address}\"\n{tables}",
            folder.display()
        );
        fs::write(folder.join(CONFIG), config)?;
        let mut site = Self { stage, agent, folder: folder.to_owned(), address, process: None };
        site.come_back()?;
        Ok(site)
    }

    /// Starts the agent and waits until it answers.
    pub(super) fn come_back(&mut self) -> Result<()> {
        self.stage.show("farhold", &["run"]);
        let began = Instant::now();
        let log = File::options().create(true).append(true).open(self.folder.join("agent.log"))?;
        let child = Command::new(self.agent)
            .current_dir(&self.folder)
            .args(["--config", CONFIG, "run"])
            // Where the binaries are is this process's to know; the agent takes each FARHOLD_*
            // variable for a setting.
            .env_remove("FARHOLD_BIN_DIR")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("farhold can't be started")?;
        self.process = Some(child);
        while !self.is_alive() {
            ensure!(
                began.elapsed() < Duration::from_secs(10),
                "the agent does not answer:\n{}",
                self.log()
            );
            if let Some(ended) =
                self.process.as_mut().and_then(|child| child.try_wait().ok().flatten())
            {
                bail!("the agent ended with {ended}:\n{}", self.log());
            }
            std::thread::yield_now();
        }
        self.stage.answer(&format!("the agent answers after {} ms", began.elapsed().as_millis()));
        Ok(())
    }

    /// SIGKILL: no chance to write anything more.
    pub(super) fn kill(&mut self) -> Result<()> {
        let mut child = self.process.take().context("no agent runs")?;
        self.stage.show("kill", &["-9", &child.id().to_string()]);
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Runs a verb that must succeed.
    pub(super) fn farhold(&self, arguments: &[&str]) -> Result<String> {
        self.stage.run_well(&self.folder, self.agent, &with_config(arguments), 3)
    }

    /// Runs a verb and reads its answer as a program would.
    pub(super) fn json(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = with_config(arguments);
        all.push("--json");
        let text = self.stage.run_well(&self.folder, self.agent, &all, 0)?;
        serde_json::from_str(&text).context("farhold printed no JSON")
    }

    /// The same without showing it: it is asked again and again.
    pub(super) fn quiet_json(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = with_config(arguments);
        all.push("--json");
        let text = self.stage.run_unseen(&self.folder, self.agent, &all)?;
        serde_json::from_str(&text).context("farhold printed no JSON")
    }

    /// Copies the state of a site that stands still.
    pub(super) fn take_snapshot(&self) -> Result<()> {
        self.copy("state", "snapshot")
    }

    /// Puts the copy back, as an administrator would after a failed disk.
    pub(super) fn restore_snapshot(&self) -> Result<()> {
        fs::remove_dir_all(self.folder.join("state"))?;
        self.copy("snapshot", "state")
    }

    fn copy(&self, from: &str, to: &str) -> Result<()> {
        self.stage.show("cp", &["-a", from, to]);
        let copied =
            Command::new("cp").current_dir(&self.folder).args(["-a", from, to]).status()?;
        ensure!(copied.success(), "{from} could not be copied");
        Ok(())
    }

    /// Tries an import that must be refused with this code.
    pub(super) fn refuses(&self, bundle: &str, code: &str) -> Result<()> {
        let output = self.stage.run(&self.folder, self.agent, &with_config(&["import", bundle]))?;
        ensure!(!output.status.success(), "{bundle} was taken");
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(said.contains(code), "{bundle} was refused, but not with {code}: {said}");
        for line in said.lines().filter(|line| !line.trim().is_empty()) {
            self.stage.aside(&format!("  {line}"));
        }
        self.stage.answer(&format!(
            "refused: {code} (exit {})",
            output.status.code().unwrap_or_default()
        ));
        Ok(())
    }

    /// Makes a runtime token.
    pub(super) fn token(&self, runtime_type: &str) -> Result<String> {
        let answer = self.json(&["token", "create", "--type", runtime_type])?;
        Ok(answer["token"].as_str().context("token create printed no token")?.to_owned())
    }

    /// The agent's own key.
    pub(super) fn device_key(&self) -> Result<String> {
        let status = self.json(&["status"])?;
        Ok(status["device_key"].as_str().context("status names no device key")?.to_owned())
    }

    /// Where runtimes reach it.
    pub(super) fn address(&self) -> Address {
        Address::Tcp(self.address)
    }

    /// Leaves everything running, and says what can be tried.
    pub(super) fn leave_running(
        mut self,
        folder: tempfile::TempDir,
        token: &str,
        runtime_id: &str,
        tenant: &str,
    ) {
        let folder = folder.keep();
        let agent = self.agent.display();
        let pid = self.process.take().map_or(0, |child| child.id());
        self.stage.say(&format!("\nThe agent still runs, as process {pid}. Try:\n"));
        self.stage.say(&format!("cd {}", folder.display()));
        for verb in ["status", "license show", "audit tail", "check"] {
            self.stage.say(&format!("{agent} --config {CONFIG} {verb}"));
        }
        self.stage.say(&format!(
            "curl -s http://{}/kernel/entitlements/check -H 'Content-Type: application/json' -H 'X-Tenant-Id: {tenant}' -H 'X-Runtime-Id: {runtime_id}' -H 'X-Contract-Version: v0.2' -H 'X-Correlation-Id: try-1' -H 'Authorization: Bearer {token}' -d '{{\"tenant_id\":\"{tenant}\",\"runtime_id\":\"{runtime_id}\",\"feature\":\"export\"}}'",
            self.address
        ));
        self.stage.say(&format!("kill {pid}; rm -r {}", folder.display()));
    }

    fn is_alive(&self) -> bool {
        self.address().call("GET", "/livez", &[], b"").is_ok_and(|answer| answer.status == 200)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("agent.log")).unwrap_or_default()
    }
}

impl Drop for Site<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn with_config<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["--config", CONFIG];
    all.extend_from_slice(arguments);
    all
}

/// A loopback port that nobody has now.
pub(super) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no loopback")?;
    Ok(listener.local_addr()?)
}
