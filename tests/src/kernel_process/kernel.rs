//! Kernel: a folder with a data directory, and a process that runs, or does not.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use serde_json::Value;
use tempfile::TempDir;

use super::KernelPlan;
use crate::{
    binaries,
    net::{Hostile, Identity, Tunnel, free_port},
    site::{Agent, Ran, Start, Vendor, eventually, log_lines, text_of},
};

/// One Kernel.
pub struct Kernel {
    folder: TempDir,
    plan: KernelPlan,
    made: Value,
    root_sha256: String,
    process: Option<Agent>,
    expected: Vec<&'static str>,
}

impl Kernel {
    /// A Kernel of a vendor, running. The vendor's root is made anew: it names the Kernel's
    /// receipt key. What the vendor signed before is another issuer's.
    #[track_caller]
    pub fn start(vendor: &Vendor) -> Self {
        Self::planned(vendor, |plan| plan)
    }

    /// The same, configured differently.
    #[track_caller]
    pub fn planned(vendor: &Vendor, words: impl FnOnce(KernelPlan) -> KernelPlan) -> Self {
        let plan = words(KernelPlan::new());
        let folder = tempfile::tempdir().unwrap();
        let mut kernel = Self {
            folder,
            plan,
            made: Value::Null,
            root_sha256: String::new(),
            process: None,
            expected: vec![],
        };
        kernel.made = kernel.init();
        kernel.root_sha256 = root_with(vendor, kernel.made["receipt_key"].as_str().unwrap());
        kernel.started();
        let root = vendor.root();
        let root = root.path().to_str().unwrap();
        kernel.verb(["trust", "install", root, "--sha256", &kernel.root_sha256]).done();
        kernel
    }

    /// A Kernel that agents reach through a network in the test's hands.
    #[track_caller]
    pub fn behind_a_network(
        vendor: &Vendor,
        words: impl FnOnce(KernelPlan) -> KernelPlan,
    ) -> (Self, Hostile) {
        let port = free_port();
        let network = Hostile::before(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let public = network.address();
        let kernel = Self::planned(vendor, |plan| words(plan.at_port(port).reached_at(public)));
        (kernel, network)
    }

    /// Starts it.
    #[track_caller]
    pub fn started(&mut self) -> &mut Self {
        let command = self.command(["run"]);
        match Agent::start(command, &self.path("notify"), &self.log_path()) {
            Start::Ready(process) => self.process = Some(process),
            Start::Ended(status) => panic!("the Kernel ended with {status}: {}", self.log()),
        }
        self
    }

    /// Ends it without a word, as kill -9 does.
    pub fn killed(&mut self) -> &mut Self {
        self.process.take().expect("the Kernel runs").kill();
        self
    }

    /// Stops it as a service manager does.
    #[track_caller]
    pub fn stopped(&mut self) -> &mut Self {
        let status = self.process.take().expect("the Kernel runs").stop();
        assert!(status.success(), "{status}: {}", self.log());
        self
    }

    /// A line with this text may be logged as an error.
    pub fn expecting(&mut self, text: &'static str) -> &mut Self {
        self.expected.push(text);
        self
    }

    /// The running process.
    pub fn process(&self) -> &Agent {
        self.process.as_ref().expect("the Kernel runs")
    }

    /// Runs a verb of `farhold-kernel` for a program to read.
    pub fn verb<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Ran {
        Ran::command(self.command(words).arg("--json"))
    }

    /// The command of a verb, on the Kernel's own host.
    pub fn command<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Command {
        let mut command = Command::new(binaries::path("farhold-kernel"));
        command.env_clear().current_dir(self.folder.path());
        command.args(words).arg("--data").arg(self.data());
        match &self.plan.host {
            None => command,
            Some(host) => host.runs(&command),
        }
    }

    /// A door on loopback through which a test's plain HTTP reaches it, as who shows this
    /// certificate, or none.
    pub fn tunnel(&self, identity: Option<&Identity>) -> Tunnel {
        assert!(self.plan.host.is_none(), "a test is on no host of a namespace");
        Tunnel::to(self.plan.port, &self.plan.name(), &self.ca(), identity)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.plan.port))
    }

    /// What `init` said it made.
    pub const fn made(&self) -> &Value {
        &self.made
    }

    /// Its CA's certificates, PEM.
    pub fn ca(&self) -> String {
        fs::read_to_string(self.data().join("ca.pem")).unwrap()
    }

    /// The hash of the vendor's root that names its receipt key.
    pub fn root_sha256(&self) -> &str {
        &self.root_sha256
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        text_of(&self.log_path())
    }

    /// Waits until the log holds a text.
    #[track_caller]
    pub fn logs(&self, text: &str) {
        eventually(text, || self.log().contains(text));
    }

    /// Writes other settings, for its next start.
    pub fn configured(&mut self, words: impl FnOnce(KernelPlan) -> KernelPlan) {
        self.plan = words(self.plan.clone());
        fs::write(self.data().join("kernel.toml"), self.plan.configuration()).unwrap();
    }

    fn init(&self) -> Value {
        make_private(&self.data());
        fs::write(self.data().join("kernel.toml"), self.plan.configuration()).unwrap();
        self.verb(["init"]).done()
    }

    fn log_path(&self) -> PathBuf {
        self.path("log")
    }

    fn errors(&self) -> Vec<String> {
        let lines = log_lines(&self.log_path()).into_iter();
        lines
            .filter(|line| line["level"] == "ERROR" || line.is_string())
            .map(|line| line.to_string())
            .filter(|line| !self.expected.iter().any(|expected| line.contains(expected)))
            .collect()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        if thread::panicking() {
            if let Some(process) = self.process.take() {
                process.kill();
            }
            return eprintln!("the Kernel's log:\n{}", self.log());
        }
        let ended = self.process.take().map(Agent::stop);
        if let Some(ended) = ended {
            assert!(ended.success(), "the Kernel ended with {ended}: {}", self.log());
        }
        let errors = self.errors();
        assert!(errors.is_empty(), "nobody expected these errors:\n{}", errors.join("\n"));
    }
}

/// Makes the vendor's first root anew, with a second key that signs receipts; its hash.
fn root_with(vendor: &Vendor, receipt_key: &str) -> String {
    fs::remove_file(vendor.root().path()).unwrap();
    let keys = "--root-key root.key --license-key license.key --revocation-key revocation.key \
                --kernel-key kernel.key";
    let line = format!(
        "root init --issuer ACME {keys} --kernel-key {receipt_key} --at 2020-01-01T00:00:00Z \
         --expires 9000-01-01 --out root.json"
    );
    vendor.tool(line.split_ascii_whitespace()).done();
    vendor.root_sha256()
}

fn make_private(folder: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder).unwrap();
}
