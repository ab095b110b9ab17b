//! Site: a folder with a configuration, a state, and an agent that runs, or does not.

use std::{
    fmt::Write,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use farhold_contract::{Code, model::RuntimeType};

use super::{
    Call, Document, Ran, Records, Runtime, TENANT, Vendor,
    agent::{self, Agent, Start, eventually},
};
use crate::{binaries, http::Address, schema::Surface};

/// What a site is configured to be. Without another word: detached, with both doors.
#[derive(Debug, Clone)]
pub struct Plan {
    mode: Option<&'static str>,
    tenant: Option<String>,
    tcp: bool,
    trust_file: Option<PathBuf>,
    level: &'static str,
    queue_cap: &'static str,
    more: Vec<(&'static str, String)>,
}

/// One site.
pub struct Site {
    folder: TempDir,
    plan: Plan,
    port: u16,
    trust: (Document, String),
    agent: Option<Agent>,
    expected: Vec<&'static str>,
}

impl Plan {
    /// No TCP door.
    pub const fn without_tcp(mut self) -> Self {
        self.tcp = false;
        self
    }

    /// Nobody has decided how it is linked.
    pub fn undecided(mut self) -> Self {
        self.mode = None;
        self.tenant = None;
        self
    }

    /// It serves this organization.
    pub fn serving(mut self, tenant: &str) -> Self {
        self.tenant = Some(tenant.to_owned());
        self
    }

    /// The vendor's package brought a root.
    pub fn packaged_trust(mut self, root: &Document) -> Self {
        self.trust_file = Some(root.path().to_owned());
        self
    }

    /// Everything is logged.
    pub const fn logging_everything(mut self) -> Self {
        self.level = "trace";
        self
    }

    /// With another key of the configuration, a text.
    pub fn with(mut self, key: &'static str, value: &str) -> Self {
        self.more.push((key, value.to_owned()));
        self
    }

    /// The audit queue's cap.
    pub const fn queue_cap(mut self, cap: &'static str) -> Self {
        self.queue_cap = cap;
        self
    }
}

impl Site {
    /// A site of a vendor's customer, its agent running.
    #[track_caller]
    pub fn new(vendor: &Vendor) -> Self {
        Self::planned(vendor, |plan| plan)
    }

    /// The same, configured differently.
    #[track_caller]
    pub fn planned(vendor: &Vendor, words: impl FnOnce(Plan) -> Plan) -> Self {
        let mut site = Self::prepared(vendor, words);
        site.started();
        site
    }

    /// The same, with no agent running yet.
    pub fn prepared(vendor: &Vendor, words: impl FnOnce(Plan) -> Plan) -> Self {
        let plan = words(Plan {
            mode: Some("detached"),
            tenant: Some(TENANT.to_owned()),
            tcp: true,
            trust_file: None,
            level: "info",
            queue_cap: "256MiB",
            more: Vec::new(),
        });
        let trust = (vendor.root(), vendor.root_sha256());
        let folder = tempfile::tempdir().unwrap();
        let site = Self { folder, plan, port: free_port(), trust, agent: None, expected: vec![] };
        site.configured(&site.configuration());
        site
    }

    /// Installs the vendor's root, by the hash told over another channel.
    #[track_caller]
    pub fn trusting(self) -> Self {
        let path = self.trust.0.path().to_str().unwrap();
        self.verb(["trust", "install", path, "--sha256", &self.trust.1]).done();
        self
    }

    /// Imports a license.
    #[track_caller]
    pub fn holding(self, license: &Document) -> Self {
        self.imports(license).done();
        self
    }

    /// Starts the agent.
    #[track_caller]
    pub fn started(&mut self) -> &mut Self {
        match self.start() {
            Start::Ready(agent) => self.agent = Some(agent),
            Start::Ended(status) => panic!("the agent ended with {status}: {}", self.log()),
        }
        self
    }

    /// Starts the agent, which refuses to run: as the code says.
    #[track_caller]
    pub fn refuses_to_start(&mut self, code: Code) -> &mut Self {
        match self.start() {
            Start::Ready(agent) => {
                self.agent = Some(agent);
                panic!("the agent runs and should not: {code}");
            }
            Start::Ended(status) => {
                let log = self.log();
                assert_eq!(status.code(), Some(i32::from(code.exit().code())), "{log}");
                assert!(log.contains(&format!("({code})")), "{log}");
            }
        }
        self
    }

    /// Starts the agent and ends it a moment later, wherever its start has come to.
    pub fn started_and_killed(&mut self, after: Duration) -> &mut Self {
        Agent::start_and_kill(self.command(["run"]), &self.log_path(), after);
        self
    }

    /// Ends the agent without a word, as kill -9 does.
    pub fn killed(&mut self) -> &mut Self {
        self.agent.take().expect("the agent runs").kill();
        self
    }

    /// Stops the agent as a service manager does.
    #[track_caller]
    pub fn stopped(&mut self) -> &mut Self {
        let status = self.agent.take().expect("the agent runs").stop();
        assert!(status.success(), "{status}: {}", self.log());
        self
    }

    /// A line with this text may be logged as an error.
    pub fn expecting(&mut self, text: &'static str) -> &mut Self {
        self.expected.push(text);
        self
    }

    /// The running agent.
    pub fn agent(&self) -> &Agent {
        self.agent.as_ref().expect("the agent runs")
    }

    /// Runs a verb of `farhold` for a program to read.
    pub fn verb<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Ran {
        Ran::command(self.command(words).arg("--json"))
    }

    /// A new token, and the runtime that holds it; not yet registered.
    #[track_caller]
    pub fn runtime(&self, kind: RuntimeType) -> Runtime {
        let created = self.verb(["token", "create", "--type", kind.as_str()]).done();
        let tenant = self.plan.tenant.as_deref().unwrap_or(TENANT);
        Runtime::new(self.unix_door(), kind, tenant, &created)
    }

    /// A call to the administration door.
    pub fn admin(&self, method: &str, target: &str) -> Call {
        Call::new(Address::Unix(self.admin_socket()), Surface::Admin, method, target)
    }

    /// What `/statusz` answers.
    #[track_caller]
    pub fn status(&self) -> Value {
        self.admin("GET", "/statusz").answer().ok()
    }

    /// Whether a condition stands.
    #[track_caller]
    pub fn suffers(&self, condition: &str) -> bool {
        let status = self.status();
        let conditions = status["conditions"].as_array().unwrap();
        conditions.iter().any(|found| found["code"] == condition)
    }

    /// The agent's public key.
    #[track_caller]
    pub fn device_key(&self) -> String {
        self.status()["device_key"].as_str().unwrap().to_owned()
    }

    /// The last thousand records of the audit.
    #[track_caller]
    pub fn audit(&self) -> Records {
        Records::of(&self.admin("GET", "/admin/audit/tail?count=1000").answer().ok())
    }

    /// The door at a Unix socket.
    pub fn unix_door(&self) -> Address {
        Address::Unix(self.path("run/agent.sock"))
    }

    /// The door at loopback.
    pub fn tcp_door(&self) -> Address {
        Address::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)))
    }

    /// Every door for runtimes.
    pub fn doors(&self) -> [Address; 2] {
        [self.unix_door(), self.tcp_door()]
    }

    /// The administration socket.
    pub fn admin_socket(&self) -> PathBuf {
        self.path("run/admin.sock")
    }

    /// The state directory.
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// A path in the site's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration as it was planned.
    pub fn configuration(&self) -> String {
        let at = self.folder.path().display();
        let Plan { mode, tenant, tcp, trust_file, level, queue_cap, more } = &self.plan;
        let mut text = String::new();
        let mut line = |key: &str, value: &str| writeln!(text, "{key} = \"{value}\"").unwrap();
        mode.iter().for_each(|mode| line("mode", mode));
        tenant.iter().for_each(|tenant| line("tenant_id", tenant));
        line("state_dir", &format!("{at}/state"));
        line("runtime_dir", &format!("{at}/run"));
        if *tcp {
            line("local.tcp", &format!("127.0.0.1:{}", self.port));
        }
        line("queue.cap", queue_cap);
        line("log.format", "json");
        line("log.level", level);
        let none = self.path("no-packaged-root.json");
        line("trust.file", &trust_file.as_ref().unwrap_or(&none).display().to_string());
        more.iter().for_each(|(key, value)| line(key, value));
        text
    }

    /// Writes another configuration.
    pub fn configured(&self, text: &str) {
        fs::write(self.path("agent.toml"), text).unwrap();
    }

    /// The command of a verb.
    pub fn command<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Command {
        let mut command = Command::new(binaries::path("farhold"));
        command.env_clear().current_dir(self.folder.path());
        command.args(words).arg("--config").arg(self.path("agent.toml"));
        command
    }

    /// Starts the agent by a command of the test's own, which runs it in the end.
    #[track_caller]
    pub fn started_by(&mut self, command: Command) -> &mut Self {
        match Agent::start(command, &self.path("notify"), &self.log_path()) {
            Start::Ready(agent) => self.agent = Some(agent),
            Start::Ended(status) => panic!("the agent ended with {status}: {}", self.log()),
        }
        self
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        agent::text_of(&self.log_path())
    }

    /// Waits until the log holds a text.
    #[track_caller]
    pub fn logs(&self, text: &str) {
        eventually(text, || self.log().contains(text));
    }

    fn start(&self) -> Start {
        Agent::start(self.command(["run"]), &self.path("notify"), &self.log_path())
    }

    fn log_path(&self) -> PathBuf {
        self.path("log")
    }

    fn errors(&self) -> Vec<String> {
        agent::log_lines(&self.log_path())
            .into_iter()
            .filter(|line| line["level"] == "ERROR")
            .map(|line| line.to_string())
            .filter(|line| !self.expected.iter().any(|expected| line.contains(expected)))
            .collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if thread::panicking() {
            // It may be what does not end: a second panic would hide the first.
            if let Some(agent) = self.agent.take() {
                agent.kill();
            }
            return eprintln!("the agent's log:\n{}", self.log());
        }
        let ended = self.agent.take().map(Agent::stop);
        if let Some(ended) = ended {
            assert!(ended.success(), "the agent ended with {ended}: {}", self.log());
        }
        let errors = self.errors();
        assert!(errors.is_empty(), "nobody expected these errors:\n{}", errors.join("\n"));
    }
}

impl AsRef<Path> for Site {
    fn as_ref(&self) -> &Path {
        self.folder.path()
    }
}

/// A port of loopback that nothing uses, from below those that the system gives away itself.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 10_000 + u16::try_from(std::process::id() % 20_000).unwrap();
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed) % 2_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
