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

use farhold_bundle::{Signer, TrustRoot, payload::Root, seal};

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
        let place = Self::made();
        let [listen, admin] = free_ports();
        let settings = fs::read_to_string(place.data().join("kernel.toml")).unwrap();
        let addresses =
            format!("listen = \"127.0.0.1:{listen}\"\nadmin_listen = \"127.0.0.1:{admin}\"\n");
        fs::write(place.data().join("kernel.toml"), addresses + &settings).unwrap();
        place.started()
    }

    /// With a Kernel that runs on what is there.
    fn started(mut self) -> Self {
        let path = self.at().join("notify");
        let _ = fs::remove_file(&path);
        let notify = UnixDatagram::bind(&path).unwrap();
        notify.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let kernel = self
            .command(&["run"])
            .env("NOTIFY_SOCKET", path)
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.at().join("log")).unwrap())
            .spawn()
            .unwrap();
        self.kernel = Some(kernel);
        let mut message = [0; 256];
        loop {
            let length = notify.recv(&mut message).expect("the Kernel says READY");
            if message[..length].windows(7).any(|word| word == b"READY=1") {
                return self;
            }
        }
    }

    fn stop(&mut self) {
        if let Some(mut kernel) = self.kernel.take() {
            kernel.kill().unwrap();
            kernel.wait().unwrap();
        }
    }

    /// Installs a trust root of this issuer.
    fn trusts(&self, issuer: &str) {
        let [root, license, revocation, kernel] = ["root", "license", "revocation", "kernel"]
            .map(|name| farhold_keys::create(&self.at().join(name), None).unwrap());
        let keys = [&root, &license, &revocation, &kernel];
        let role = |key: &farhold_keys::FileSigner| serde_json::json!({"key_ids": [key.public_key().id()], "threshold": 1});
        let content: Root = serde_json::from_value(serde_json::json!({
            "issuer": {"id": issuer, "name": "Vendor"},
            "version": 1, "issued_at": "2026-01-01T00:00:00Z", "expires": "9000-01-01T00:00:00Z",
            "keys": keys.map(|key| serde_json::json!({"public_key": key.public_key()})),
            "roles": {
                "root": role(&root), "license": role(&license),
                "revocation": role(&revocation), "kernel": role(&kernel),
            },
        }))
        .unwrap();
        let line = seal(&content, &root).unwrap();
        let sha256 = TrustRoot::install(&line, None).unwrap().root().sha256().to_string();
        fs::write(self.at().join("root.json"), line).unwrap();
        self.told(&["trust", "install", "root.json", "--sha256", &sha256]);
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
        self.stop();
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

#[test]
fn the_ca_is_rotated_while_the_kernel_stands_still_and_it_is_shown_and_recorded() {
    let mut place = Place::running();
    let before = place.json(&["ca", "show"]);
    assert_eq!(before["certificates"].as_array().unwrap().len(), 1);
    assert_eq!(before["ca_sha256"], place.json(&["status"])["ca_sha256"]);
    let told = place.refused(&["ca", "rotate"], 78, "state.unusable");
    assert!(told.contains("Stop it"), "{told}");
    assert_eq!(place.json(&["ca", "show"]), before, "nothing was changed");

    place.stop();
    let told = place.told(&["ca", "rotate"]);
    let after = place.json(&["ca", "show"]);
    let (old, new) = (text(&before, "ca_sha256"), text(&after, "ca_sha256"));
    assert_ne!(new, old);
    let next = told.contains(&format!("root renew … --kernel-ca {new}\n"));
    assert!(next && told.contains(&format!("--kernel-ca {old}")), "{told}");
    let certificates = after["certificates"].as_array().unwrap();
    let keys: Vec<&str> = certificates.iter().map(|ca| text(ca, "spki_sha256")).collect();
    assert_eq!(keys, [new, new, old], "itself, by the old one's word, and the old one");
    assert!(place.told(&["ca", "show"]).contains(new));
    place.refused(&["status"], 69, "kernel.unreachable");

    let place = place.started();
    assert_eq!(text(&place.json(&["status"]), "ca_sha256"), new);
    let internal = place.json(&["status"])["internal_tenant_id"].as_str().unwrap().to_owned();
    let found = place.json(&["audit", "search", "--tenant", &internal, "--type", "kernel.ca"]);
    let events = found["events"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(text(&events[0]["event"]["payload"], "before_sha256"), old);
}

#[test]
fn a_ledger_is_uploaded_by_what_is_new_in_it() {
    let place = Place::running();
    let issuer = "01939b6e-0000-7a31-8b53-0f6f1c2d0001";
    let at = farhold_contract::Timestamp::from_ms(1_790_000_000_000);
    let (mut ledger, begun) = farhold_ledger::Ledger::begin(issuer.parse().unwrap(), at);
    let file = place.at().join("ledger.jsonl");
    fs::write(&file, &begun).unwrap();
    let upload = ["ledger", "upload", "ledger.jsonl"];
    place.refused(&upload, 5, "trust.missing");
    place.trusts(issuer);
    assert!(place.told(&["ledger", "show"]).contains("not yet"));

    assert!(place.told(&upload).starts_with("Took 1 entry in."));
    assert!(place.told(&upload).starts_with("Nothing is new in it."));
    let mut lines = begun;
    for serial in 1..=3 {
        let release = farhold_ledger::Release {
            license_id: "01939b6e-0000-7a31-8b53-0f6f1c2d0002".parse().unwrap(),
            serial: farhold_bundle::Positive::new(serial),
            device_key: serde_json::from_value("07".repeat(32).into()).unwrap(),
            request: farhold_contract::Sha256Digest::new([7; 32]),
        };
        lines.extend(ledger.append(at, farhold_ledger::Act::Released(release)).unwrap());
    }
    fs::write(&file, &lines).unwrap();
    let answer = place.json(&upload);
    assert_eq!((&answer["taken"], &answer["known"]), (&3.into(), &1.into()));
    let shown = place.told(&["ledger", "show"]);
    assert!(shown.contains("released") && shown.contains(&ledger.head().hash.to_string()));
    let listed = place.json(&["ledger", "show", "--count", "2"]);
    assert_eq!(listed["entries"].as_array().unwrap().len(), 2);

    fs::write(&file, &lines[..lines.len() - 1]).unwrap();
    place.refused(&upload, 5, "ledger.broken");
    fs::write(&file, "").unwrap();
    place.refused(&upload, 5, "ledger.broken");
    let (_, other) =
        farhold_ledger::Ledger::begin(issuer.parse().unwrap(), at + Duration::from_secs(1));
    fs::write(&file, other).unwrap();
    place.refused(&upload, 4, "ledger.conflict");
}
