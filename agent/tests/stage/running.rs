//! The real binary as an agent of its own.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{configuration, detached};

/// A detached agent, ended with its place.
pub(crate) struct Running {
    folder: TempDir,
    agent: Child,
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// With more configuration; `{AT}` in it is the agent's own folder.
    pub(crate) fn start_with(more: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), more)
    }

    /// With a log that takes no line.
    pub(crate) fn start_unheard() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join("log")).unwrap();
        Self::start_in(folder, "")
    }

    /// With a root that came with the package.
    pub(crate) fn start_trusting(root: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("packaged.json"), root).unwrap();
        Self::start_in(folder, "")
    }

    fn start_in(folder: TempDir, more: &str) -> Self {
        let at = folder.path();
        let more = more.replace("{AT}", &at.display().to_string());
        let config = configuration(&detached(), at) + &more;
        fs::write(at.join("agent.toml"), config).unwrap();
        fs::create_dir(at.join("run")).unwrap();
        let notify = UnixDatagram::bind(at.join("notify")).unwrap();
        notify.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let agent = farhold(at, &["run"])
            .env("NOTIFY_SOCKET", at.join("notify"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(at.join("log")).unwrap())
            .spawn()
            .unwrap();
        let running = Self { folder, agent };
        let mut message = [0; 256];
        loop {
            let length = notify.recv(&mut message).expect("the agent says READY");
            if message[..length].windows(7).any(|word| word == b"READY=1") {
                return running;
            }
        }
    }

    pub(crate) fn at(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        farhold(self.at(), words).output().unwrap()
    }

    /// Told to stop: whether it ends well.
    pub(crate) fn stops(&mut self) -> bool {
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.agent),
            rustix::process::Signal::TERM,
        )
        .unwrap();
        self.agent.wait().unwrap().success()
    }

    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let output = farhold(self.at(), words).arg("--json").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.agent.kill().unwrap();
        self.agent.wait().unwrap();
    }
}

pub(crate) fn farhold(at: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farhold"));
    command.env_clear().current_dir(at).args(words).arg("--config").arg(at.join("agent.toml"));
    command
}
