//! The command line, with a Kernel and without: exit codes, two lines, JSON on errors, secrets in
//! files, and the whole way from an empty directory to a tenant that is governed.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::MetadataExt, net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

/// A data directory, with a Kernel on it once it is started; ended with its place.
struct Place {
    folder: TempDir,
    kernel: Option<Child>,
}

impl Place {
    fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), kernel: None }
    }

    fn made() -> Self {
        let place = Self::empty();
        let output = place.run(&["init", "--host", "127.0.0.1"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        place
    }

    fn running() -> Self {
        let mut place = Self::made();
        let [listen, admin] = free_ports();
        let settings = fs::read_to_string(place.data().join("kernel.toml")).unwrap();
        let addresses =
            format!("listen = \"127.0.0.1:{listen}\"\nadmin_listen = \"127.0.0.1:{admin}\"\n");
        fs::write(place.data().join("kernel.toml"), addresses + &settings).unwrap();
        let notify = UnixDatagram::bind(place.at().join("notify")).unwrap();
        notify.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let kernel = place
            .command(&["run"])
            .env("NOTIFY_SOCKET", place.at().join("notify"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(place.at().join("log")).unwrap())
            .spawn()
            .unwrap();
        place.kernel = Some(kernel);
        let mut message = [0; 256];
        loop {
            let length = notify.recv(&mut message).expect("the Kernel says READY");
            if message[..length].windows(7).any(|word| word == b"READY=1") {
                return place;
            }
        }
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.at().join("data")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farhold-kernel"));
        command.env_clear().current_dir(self.at()).args(words).arg("--data").arg(self.data());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What a verb that succeeds answers a program.
    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        let output = self.command(words).arg("--json").output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{words:?}: {stdout}");
        serde_json::from_str(&stdout).unwrap()
    }

    /// What a verb that succeeds tells people.
    #[track_caller]
    fn told(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A verb that fails: on two lines for people, as one object for programs.
    #[track_caller]
    fn refused(&self, words: &[&str], exit: i32, code: &str) -> String {
        let output = self.run(words);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(exit), "{words:?}: {stderr}");
        let lines: Vec<&str> = stderr.lines().collect();
        assert_eq!(lines.len(), 2, "what happened, what to do: {stderr}");
        assert!(lines[0].starts_with("error: ") && lines[0].ends_with(&format!("({code})")));
        assert!(lines[1].starts_with("  try: ") && lines[1].ends_with(['.', '?']), "{stderr}");
        let output = self.command(words).arg("--json").output().unwrap();
        assert_eq!(output.status.code(), Some(exit));
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(object["code"], code);
        assert!(object["detail"].is_string() && object["action"].is_string());
        assert!(output.stderr.is_empty(), "a program reads standard output");
        stderr
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(kernel) = &mut self.kernel {
            kernel.kill().unwrap();
            kernel.wait().unwrap();
        }
    }
}

/// Two ports that were free a moment ago.
fn free_ports() -> [u16; 2] {
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.each_ref().map(|listener| listener.local_addr().unwrap().port())
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} in {value}"))
}

#[test]
fn init_makes_what_is_missing_once_and_says_what_comes_next() {
    let place = Place::empty();
    let told = place.told(&["init", "--host", "kernel.example"]);
    let made = place.json(&["init"]);
    assert_eq!(made["made"], serde_json::json!([]), "nothing is made twice");
    assert_eq!(text(&made, "url"), "https://kernel.example:7443");
    let command = format!("--kernel-key {} --out root.json", text(&made, "receipt_key"));
    assert!(told.contains("license-tool root init ") && told.contains(&command), "{told}");
    assert!(told.contains("admin.token"), "{told}");
    assert_eq!(fs::metadata(place.data()).unwrap().mode() & 0o7777, 0o700);
    let token = fs::read_to_string(place.data().join("admin.token")).unwrap();
    assert!(!told.contains(token.trim()), "the token is in its file and nowhere else");
}

#[test]
fn a_verb_without_a_kernel_says_what_is_missing() {
    let place = Place::empty();
    place.refused(&["status"], 65, "input.unreadable");
    let place = Place::made();
    let unreachable = ["status", "--admin-url", "https://127.0.0.1:1"];
    place.refused(&unreachable, 69, "kernel.unreachable");
    let plain = ["status", "--admin-url", "http://127.0.0.1:1"];
    assert_ne!(place.run(&plain).status.code(), Some(0), "there is no way without TLS");
    fs::write(place.data().join("ca.pem"), "no certificate").unwrap();
    place.refused(&unreachable, 65, "input.unreadable");
}

#[test]
fn a_command_line_that_makes_no_sense_is_usage() {
    let place = Place::empty();
    place.refused(&["tenant", "show", "not-an-id"], 2, "usage.invalid");
    place.refused(&["tenant", "limit", "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f"], 2, "usage.invalid");
    place.refused(&["enroll-token", "create"], 2, "usage.invalid");
    place.refused(&["tenants"], 2, "usage.invalid");
    assert_eq!(place.run(&[]).status.code(), Some(2), "no verb is no success");
    assert_eq!(place.run(&["--help"]).status.code(), Some(0));
    assert!(place.told(&["version"]).contains("contract v0.1 and v0.2"));
}

#[test]
fn the_settings_are_drafted_and_checked() {
    let place = Place::empty();
    let drafted = place.told(&["config", "default"]);
    let file = place.at().join("drafted.toml");
    fs::write(&file, &drafted).unwrap();
    let checked = ["config", "check", "--config", "drafted.toml"];
    assert!(place.told(&checked).starts_with("The configuration is good."));
    fs::write(&file, "lisen = \"0.0.0.0:1\"\n").unwrap();
    let told = place.refused(&checked, 78, "config.invalid");
    assert!(told.contains("drafted.toml, line 1"), "{told}");
    place.refused(&["run", "--config", "drafted.toml"], 78, "config.invalid");
}

#[test]
fn another_kernels_ca_or_token_opens_nothing() {
    let (place, other) = (Place::running(), Place::made());
    assert!(place.told(&["status"]).contains("receipt key"));
    let ca = other.data().join("ca.pem");
    let ca = ["status", "--ca", ca.to_str().unwrap()];
    place.refused(&ca, 5, "kernel.untrusted");
    let token = other.data().join("admin.token");
    let token = ["status", "--token-file", token.to_str().unwrap()];
    place.refused(&token, 4, "auth.invalid");
}

#[test]
fn a_tenant_is_governed_from_the_command_line() {
    let place = Place::running();
    let tenant = place.json(&["tenant", "create", "Acme Sur"]);
    let id = text(&tenant, "tenant_id");
    assert!(place.told(&["tenant", "list"]).contains("Acme Sur"));
    assert_eq!(place.json(&["tenant", "show", id])["status"], "active");
    let limit = ["tenant", "limit", id, "--deny", "exams", "--deny", "export"];
    assert!(place.told(&limit).contains("limited: exams, export"));
    assert_eq!(place.json(&["tenant", "suspend", id])["status"], "suspended");
    assert_eq!(place.json(&["tenant", "resume", id])["features_denied"], serde_json::json!([]));
    let nobody = "01939b6e-3c5f-7a31-8b53-0f6f1c2dffff";
    place.refused(&["tenant", "show", nobody], 2, "request.not_found");
    place.refused(&["trust", "show"], 5, "trust.missing");
    place.refused(&["enroll-token", "create", "--tenant", id], 5, "trust.missing");

    assert!(place.told(&["runtime", "list", "--tenant", id]).starts_with("RUNTIME"));
    assert!(place.told(&["agent", "list"]).starts_with("AGENT"));
    assert!(place.told(&["license", "list", "--tenant", id]).starts_with("LICENSE"));
    assert!(place.told(&["provider", "list", "--tenant", id]).starts_with("NAME"));
    assert!(place.told(&["dead-letters", "list", "--tenant", id]).starts_with("RECEIVED"));
    assert!(place.told(&["alerts", "list", "--open"]).starts_with("There is no alert."));

    let listed = place.told(&["audit", "list", "--tenant", id, "--type", "kernel.tenant"]);
    let kinds: Vec<&str> =
        listed.lines().skip(1).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "kernel.tenant.created",
            "kernel.tenant.limited",
            "kernel.tenant.suspended",
            "kernel.tenant.resumed"
        ]
    );
    let internal = place.json(&["status"])["internal_tenant_id"].as_str().unwrap().to_owned();
    let found = place.json(&["audit", "search", "--tenant", &internal, "--type", "kernel.admin"]);
    assert!(found["events"].as_array().unwrap().len() > 10, "looking leaves its event, too");
    let verified = place.json(&["audit", "verify"]);
    assert_eq!(verified["intact"], true);
    assert!(place.told(&["audit", "verify"]).contains("intact"));
}

#[test]
fn a_token_is_handed_over_once_and_never_lost_in_between() {
    let place = Place::running();
    let tenant = place.json(&["tenant", "create", "Acme Sur"]);
    let id = text(&tenant, "tenant_id");
    let create = ["runtime-token", "create", "--tenant", id, "--type", "labs"];
    let token = place.told(&create);
    assert!(token.starts_with("fhr_") && token.lines().count() == 1, "the token alone");
    let to_file = [&create[..], &["--name", "Lab 3", "--out", "lab.token"]].concat();
    assert_eq!(place.told(&to_file), "");
    let metadata = fs::metadata(place.at().join("lab.token")).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o600);
    place.refused(&to_file, 73, "output.exists");

    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let lost = place.command(&create).stdout(full).output().unwrap();
    assert_eq!(lost.status.code(), Some(73));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = place.command(&create).stdout(writer).output().unwrap();
    assert_eq!(closed.status.code(), Some(0), "who left is told nothing");
    let listed = place.json(&["runtime-token", "list", "--tenant", id]);
    let tokens = listed["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 4, "a refused path makes no token");
    assert!(tokens[..2].iter().all(|token| token.get("revoked_at").is_none()));
    assert!(tokens[2..].iter().all(|token| token["revoked_at"].is_string()), "nobody has them");

    let token_id = text(&tokens[0], "token_id");
    assert!(place.told(&["runtime-token", "revoke", token_id, "--tenant", id]).contains(token_id));
    let log = fs::read_to_string(place.at().join("log")).unwrap();
    assert!(!log.contains(&token.trim()[4..]), "no token in the log");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let place = Place::empty();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = place.command(&["config", "default"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_chain_that_does_not_hold_is_told_and_is_no_success() {
    let place = Place::running();
    place.json(&["tenant", "create", "Acme Sur"]);
    let database = rusqlite::Connection::open(place.data().join("kernel.db")).unwrap();
    let changed = database.execute(
        "UPDATE record SET event = CAST(replace(CAST(event AS TEXT), 'Acme Sur', 'Acme Nor') \
         AS BLOB) WHERE instr(event, CAST('Acme Sur' AS BLOB)) > 0",
        [],
    );
    assert_eq!(changed.unwrap(), 2, "the administration's event and the tenant's");
    let output = place.command(&["audit", "verify", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((text(&object, "code"), &object["intact"]), ("chain.broken", &false.into()));
    assert!(text(&object, "detail").contains("the chain of the Kernel: record "));
    let output = place.run(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8(output.stdout).unwrap().contains("broken"));
}
