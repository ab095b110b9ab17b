//! The command line with a running agent: tokens, audit, doctor, configuration kept.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{
    fs,
    os::unix::{fs::MetadataExt, net::UnixDatagram},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

const TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";

/// A detached agent without a license, ended with its place.
struct Site {
    folder: TempDir,
    agent: Child,
}

impl Site {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let config = format!(
            "mode = \"detached\"\ntenant_id = \"{TENANT}\"\nstate_dir = \"{0}/state\"\n\
             runtime_dir = \"{0}/run\"\nqueue.cap = \"64MiB\"\ntrust.file = \"{0}/none\"\n",
            at.display()
        );
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
        let site = Self { folder, agent };
        let mut message = [0; 256];
        loop {
            let length = notify.recv(&mut message).expect("the agent says READY");
            if message[..length].windows(7).any(|word| word == b"READY=1") {
                return site;
            }
        }
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, words: &[&str]) -> Output {
        farhold(self.at(), words).output().unwrap()
    }

    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        let output = farhold(self.at(), words).arg("--json").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.agent.kill().unwrap();
        self.agent.wait().unwrap();
    }
}

fn farhold(at: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farhold"));
    command.env_clear().current_dir(at).args(words).arg("--config").arg(at.join("agent.toml"));
    command
}

#[test]
fn a_token_is_shown_once_listed_and_revoked() {
    let site = Site::start();
    let shown = site.run(&["token", "create", "--type", "labs", "--name", "Lab 3"]);
    assert!(shown.status.success());
    let token = String::from_utf8(shown.stdout).unwrap();
    assert!(
        token.starts_with("fhr_") && token.ends_with('\n'),
        "standard output is the token alone"
    );

    let written = site.run(&["token", "create", "--type", "app", "--out", "app.token"]);
    assert!(written.status.success() && written.stdout.is_empty());
    let metadata = fs::metadata(site.at().join("app.token")).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o600);
    let secret = fs::read_to_string(site.at().join("app.token")).unwrap();
    assert!(secret.starts_with("fhr_") && !secret.ends_with('\n'));

    let listed = site.json(&["token", "list"]);
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 2);
    assert_eq!(listed["tokens"][0]["name"], "Lab 3");
    assert!(!listed.to_string().contains(token.trim()));
    let id = listed["tokens"][0]["token_id"].as_str().unwrap();
    assert!(site.run(&["token", "revoke", id]).status.success());
    assert!(site.json(&["token", "list"])["tokens"][0]["revoked_at"].is_string());
    let log = fs::read_to_string(site.at().join("log")).unwrap();
    assert!(!log.contains(token.trim()) && !log.contains(&secret), "no token in the log");
}

#[test]
fn a_token_nobody_took_is_taken_back() {
    let site = Site::start();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let create = ["token", "create", "--type", "labs"];
    let lost = farhold(site.at(), &create).stdout(full).output().unwrap();
    assert_eq!(lost.status.code(), Some(73));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = farhold(site.at(), &create).stdout(writer).output().unwrap();
    assert_eq!(closed.status.code(), Some(0));
    let listed = site.json(&["token", "list"]);
    let tokens = listed["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 2);
    assert!(tokens.iter().all(|token| token["revoked_at"].is_string()), "{listed}");
}

#[test]
fn what_was_recorded_is_tailed_verified_and_exported_once() {
    let site = Site::start();
    let queue = site.json(&["queue", "stats"]);
    let records = queue["last_seq"].as_u64().unwrap();
    assert!(records >= 1, "the start was recorded: {queue}");
    assert_eq!(queue["cap_bytes"], 64 << 20);
    let tail = site.json(&["audit", "tail", "-n", "1"]);
    assert_eq!(tail["records"].as_array().unwrap().len(), 1);
    let shown = String::from_utf8(site.run(&["audit", "tail"]).stdout).unwrap();
    assert!(shown.contains("agent.started"), "{shown}");
    assert_eq!(site.json(&["audit", "verify"])["to_seq"], records);

    assert!(site.run(&["export", "--out", "site.export"]).status.success());
    let file = fs::read(site.at().join("site.export")).unwrap();
    assert_eq!(file.iter().filter(|byte| **byte == b'\n').count() as u64, records + 1);
    assert_eq!(fs::metadata(site.at().join("site.export")).unwrap().mode() & 0o7777, 0o600);
    let streamed = site.run(&["export"]).stdout;
    assert_eq!(streamed.iter().filter(|byte| **byte == b'\n').count() as u64, records + 1);
    let again = site.run(&["export", "--out", "site.export"]);
    assert_eq!(again.status.code(), Some(73));
    assert_eq!(fs::read(site.at().join("site.export")).unwrap(), file);
}

#[test]
fn the_doctor_finds_what_is_missing_and_the_probe_is_silent() {
    let site = Site::start();
    let live = site.run(&["check", "--live"]);
    assert!(live.status.success() && live.stdout.is_empty() && live.stderr.is_empty());
    let found = site.json(&["check"]);
    let outcomes: Vec<&str> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["ok", "ok", "ok", "ok", "failed", "ok", "ok"], "{found}");
    assert_eq!(found["checks"][4]["next"], "Import a license: farhold import FILE.");
    assert_eq!(site.run(&["check"]).status.code(), Some(4));
    let without = site.run(&["check", "--skip", "license-in-force"]);
    assert_eq!(without.status.code(), Some(0));
}

#[test]
fn status_is_told_to_people_and_programs() {
    let site = Site::start();
    let status = site.json(&["status"]);
    assert_eq!(status["mode"], "detached");
    assert_eq!(status["tenants"][0], TENANT);
    assert_eq!(status["ready"], false);
    let codes: Vec<_> =
        status["conditions"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert!(codes.contains(&&Value::from("trust_missing")), "{codes:?}");
    let shown = String::from_utf8(site.run(&["status"]).stdout).unwrap();
    assert!(shown.contains("detached, not ready"), "{shown}");
    assert!(shown.contains("farhold trust install"), "each condition says what to do: {shown}");
}

#[test]
fn a_second_agent_on_the_same_state_is_refused() {
    let site = Site::start();
    let second = site.run(&["run"]);
    let stderr = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(75), "{stderr}");
    assert!(stderr.contains("(state.locked)"), "{stderr}");
    assert!(site.run(&["check", "--live"]).status.success(), "the first one still answers");
}
