//! The command line without an agent: exit codes, two lines, JSON on errors, quiet pipes.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{
    fs,
    io::{Read, Write},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixListener,
    },
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("agent.toml"), "").unwrap();
        Self { folder }
    }

    /// With the state of an agent that a verb has made.
    fn with_state() -> Self {
        let place = Self::new();
        refused(&place.run(&["import", "agent.toml"]), 65, "bundle.malformed");
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn farhold(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farhold"));
        command.env_clear().current_dir(self.path()).args(words);
        command.arg("--config").arg(self.path().join("agent.toml"));
        command.arg("--state-dir").arg(self.path().join("state"));
        command.arg("--runtime-dir").arg(self.path().join("run"));
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.farhold(words).output().unwrap()
    }
}

#[track_caller]
fn refused(output: &Output, exit: i32, code: &str) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{stderr}");
    let lines: Vec<&str> =
        stderr.lines().filter(|line| !line.starts_with("No agent runs at ")).collect();
    assert_eq!(lines.len(), 2, "what happened, what to do: {stderr}");
    assert!(
        lines[0].starts_with("error: ") && lines[0].ends_with(&format!("({code})")),
        "{stderr}"
    );
    assert!(lines[1].starts_with("  try: ") && lines[1].ends_with(['.', '?']), "{stderr}");
    stderr
}

/// Every verb that needs something an empty place does not have, with how it ends.
const FAILING: [(&[&str], i32, &str); 14] = [
    (&["trust", "show"], 69, "agent.unreachable"),
    (&["trust", "install", "none.json", "--sha256", "00"], 2, "usage.invalid"),
    (&["import", "none.bundle"], 65, "input.unreadable"),
    (&["import", "agent.toml"], 65, "bundle.malformed"),
    (&["trust", "show"], 5, "trust.missing"),
    (&["license", "explain", "license.expird"], 2, "usage.invalid"),
    (&["export"], 4, "export.empty"),
    (&["token", "create", "--type", "lbas"], 2, "usage.invalid"),
    (&["token", "revoke", "not-an-id"], 2, "usage.invalid"),
    (&["check"], 4, "check.failed"),
    (&["check", "--skip", "clok-plausible"], 2, "usage.invalid"),
    (&["check", "--live"], 69, "agent.unreachable"),
    (&["audit", "tail", "-n", "0"], 2, "usage.invalid"),
    (&["statsu"], 2, "usage.invalid"),
];

#[test]
fn every_failing_verb_exits_with_its_code_and_two_lines() {
    let place = Place::new();
    for (words, exit, code) in FAILING {
        let output = place.run(words);
        refused(&output, exit, code);
        if words != ["check"] {
            assert!(output.stdout.is_empty(), "{words:?}: standard output is for data");
        }
    }
}

#[test]
fn every_failing_verb_is_json_for_programs() {
    let place = Place::new();
    for (words, exit, code) in FAILING {
        let output = place.farhold(words).arg("--json").output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{words:?}");
        let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON value");
        assert_eq!(told["code"], code, "{words:?}");
        assert!(told["detail"].is_string() && told["action"].is_string(), "{words:?}: {told}");
    }
}

#[test]
fn a_typo_is_answered_with_what_was_meant() {
    let place = Place::new();
    assert!(refused(&place.run(&["statsu"]), 2, "usage.invalid").contains("'status'"));
    let told = refused(&place.run(&["license", "explain", "licence.expired"]), 2, "usage.invalid");
    assert!(told.contains("Did you mean license.expired?"), "{told}");
    let told = refused(&place.run(&["check", "--skip", "clock"]), 2, "usage.invalid");
    assert!(told.contains("Did you mean clock-plausible?"), "{told}");
}

#[test]
fn a_wrong_configuration_is_78_for_every_verb_that_reads_it() {
    let place = Place::new();
    fs::write(place.path().join("agent.toml"), "mode = \"detached\"\ntennant_id = \"x\"\n")
        .unwrap();
    for words in [&["run"][..], &["status"], &["config", "check"], &["config", "show"], &["export"]]
    {
        let told = refused(&place.run(words), 78, "config.invalid");
        assert!(told.contains("agent.toml:2: tennant_id"), "{told}");
        assert!(told.contains("Did you mean tenant_id?"), "{told}");
    }
    let check = place.run(&["check", "--json"]);
    let told: Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!(told["checks"][0]["outcome"], "failed");
    assert_eq!(told["checks"][4]["detail"], "needs config-valid, which failed");
    assert!(!place.path().join("state").exists(), "nothing is made of a wrong configuration");
}

#[test]
fn verbs_that_need_no_site_make_none() {
    let place = Place::new();
    let explained = place.run(&["license", "explain", "quota.exhausted"]);
    assert!(explained.status.success());
    assert!(String::from_utf8_lossy(&explained.stdout).contains("exit code 4"));
    let listed = place.farhold(&["license", "explain", "--json"]).output().unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(
        listed.as_array().unwrap().len(),
        farhold_contract::Code::ALL.len() + farhold_contract::condition::ConditionCode::ALL.len()
    );
    for words in [&["version"][..], &["config", "default"], &["config", "show"], &["--help"]] {
        assert!(place.run(words).status.success(), "{words:?}");
    }
    assert!(!place.path().join("state").exists());
}

#[test]
fn help_and_usage_go_where_they_belong() {
    let place = Place::new();
    let help = place.run(&["--help"]);
    assert!(help.stderr.is_empty() && !help.stdout.is_empty());
    let nothing = Command::new(env!("CARGO_BIN_EXE_farhold")).env_clear().output().unwrap();
    assert_eq!(nothing.status.code(), Some(2));
    assert!(nothing.stdout.is_empty());
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("status"), "the verbs are listed");
}

#[test]
fn verbs_that_only_look_make_no_agent_where_a_directory_is_mistyped() {
    let place = Place::new();
    for words in [
        &["status"][..],
        &["license", "show"],
        &["license", "what-if", "--at", "2027-01-01"],
        &["import", "agent.toml", "--dry-run"],
        &["fingerprint"],
        &["fingerprint", "explain"],
        &["trust", "show"],
        &["queue", "stats"],
        &["queue", "dead-letters"],
        &["audit", "tail"],
        &["audit", "verify"],
        &["export"],
        &["export", "--out", "site.export"],
        &["token", "list"],
        &["token", "revoke", "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f"],
    ] {
        let told = refused(&place.run(words), 69, "agent.unreachable");
        let state = place.path().join("state").display().to_string();
        assert!(told.contains(&state) && told.contains("--state-dir"), "{words:?}: {told}");
    }
    place.run(&["check"]);
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(left, [place.path().join("agent.toml")]);
    // What must come before an agent's first start makes its state.
    fs::write(
        place.path().join("agent.toml"),
        "tenant_id = \"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f\"\nmode = \"detached\"\n",
    )
    .unwrap();
    assert!(place.run(&["request"]).status.success());
    assert!(place.run(&["status"]).status.success());
}

#[test]
fn a_closed_pipe_is_quiet() {
    let place = Place::with_state();
    for words in [&["license", "explain"][..], &["--help"], &["config", "default"], &["status"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.farhold(words).stdout(writer).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {stderr}");
        let told = stderr.lines().filter(|line| !line.starts_with("No agent runs at "));
        assert_eq!(told.count(), 0, "{words:?}: {stderr}");
    }
}

#[test]
fn a_full_disk_under_standard_output_is_told() {
    let place = Place::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = place.farhold(&["config", "default"]).stdout(full).output().unwrap();
    refused(&output, 73, "output.unwritable");
}

#[test]
fn what_is_said_beside_the_data_ends_no_verb_that_nobody_hears() {
    let place = Place::with_state();
    fs::write(
        place.path().join("agent.toml"),
        "tenant_id = \"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f\"\nmode = \"detached\"\n",
    )
    .unwrap();
    for words in [
        &["status"][..],
        &["request"],
        &["request", "--out", "site.request"],
        &["token", "create", "--type", "labs"],
        &["token", "create", "--type", "labs", "--out", "lab.token"],
        &["export"],
        &["export", "--out", "site.export"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = place.farhold(words).stderr(full).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
    }
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let failed = place.farhold(&["export", "--out", "site.export"]).stderr(full).status().unwrap();
    assert_eq!(failed.code(), Some(73), "its own code, not a panic's");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let bare = Command::new(env!("CARGO_BIN_EXE_farhold")).env_clear().stderr(full).status();
    assert_eq!(bare.unwrap().code(), Some(2), "no verb is named");
}

#[test]
fn a_bundle_is_read_up_to_its_limit() {
    let place = Place::new();
    let big = fs::File::create(place.path().join("big.bundle")).unwrap();
    big.set_len(16 * 1024 * 1024 + 1).unwrap();
    refused(&place.run(&["import", "big.bundle"]), 65, "bundle.too_large");
    assert!(!place.path().join("state").exists(), "refused before the site is opened");
}

#[test]
fn standard_input_is_read_and_a_damaged_typed_form_is_refused() {
    let place = Place::new();
    fs::write(place.path().join("typed"), "FH1:NOT BASE45 AT ALL").unwrap();
    let typed = fs::File::open(place.path().join("typed")).unwrap();
    let output = place.farhold(&["import", "-"]).stdin(typed).output().unwrap();
    refused(&output, 65, "typed_form.malformed");
}

#[test]
fn nothing_is_written_over_another_file_or_into_the_state() {
    let place = Place::with_state();
    fs::write(place.path().join("taken"), "precious").unwrap();
    refused(&place.run(&["export", "--out", "taken"]), 73, "output.exists");
    refused(
        &place.run(&["token", "create", "--type", "labs", "--out", "taken"]),
        73,
        "output.exists",
    );
    assert_eq!(fs::read(place.path().join("taken")).unwrap(), b"precious");
    refused(&place.run(&["export", "--out", "no/such/folder/x"]), 73, "output.unwritable");
    let told = refused(&place.run(&["export", "--out", "state/device.key"]), 73, "output.exists");
    assert!(told.contains("device.key"));
    std::os::unix::fs::symlink("state", place.path().join("elsewhere")).unwrap();
    let told = refused(&place.run(&["export", "--out", "elsewhere/x"]), 2, "usage.invalid");
    assert!(told.contains("state directory"), "{told}");
    refused(&place.run(&["export", "--out", "fresh"]), 4, "export.empty");
    assert!(!place.path().join("fresh").exists(), "a failed export leaves nothing");
    assert_eq!(hidden(place.path()), 0);
}

fn hidden(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with('.')).count()
}

#[test]
fn an_agent_that_does_not_answer_is_not_taken_for_none() {
    let place = Place::new();
    fs::create_dir(place.path().join("run")).unwrap();
    let socket = place.path().join("run/admin.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let peer = std::thread::spawn(move || {
        // The first connection only asks whether anyone listens; the second is hung up on.
        drop(listener.accept().unwrap());
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 16]).unwrap();
    });
    refused(&place.run(&["status"]), 69, "agent.unreachable");
    peer.join().unwrap();
    assert!(!place.path().join("state").exists(), "the state belongs to whoever listens");
    // A socket that a dead agent left behind is no agent.
    refused(&place.run(&["import", "agent.toml"]), 65, "bundle.malformed");
    assert!(place.path().join("state/agent.db").exists());
}

/// Answers every call at the admin socket with these bytes, then hangs up.
fn answering(place: &Place, answer: &'static str) -> std::thread::JoinHandle<()> {
    fs::create_dir(place.path().join("run")).unwrap();
    let listener = UnixListener::bind(place.path().join("run/admin.sock")).unwrap();
    std::thread::spawn(move || {
        drop(listener.accept().unwrap());
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    })
}

#[test]
fn an_export_that_breaks_off_leaves_no_file() {
    let place = Place::new();
    let half = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nline\n\r\n";
    let peer = answering(&place, half);
    let told = refused(&place.run(&["export", "--out", "half"]), 69, "agent.unreachable");
    assert!(told.contains("broke off"), "{told}");
    assert!(!place.path().join("half").exists());
    assert_eq!(hidden(place.path()), 0);
    peer.join().unwrap();
}

#[test]
fn what_answers_in_the_agents_place_is_not_believed() {
    let place = Place::new();
    let page = "HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<ok>";
    let peer = answering(&place, page);
    let told = refused(&place.run(&["trust", "show"]), 69, "agent.unreachable");
    assert!(told.contains("403"), "{told}");
    peer.join().unwrap();
}

#[test]
fn an_agent_that_begins_anew_between_two_connections_is_asked_again() {
    let place = Place::new();
    let socket = place.path().join("run/admin.sock");
    fs::create_dir(place.path().join("run")).unwrap();
    let first = UnixListener::bind(&socket).unwrap();
    let verb = place.farhold(&["token", "list", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    first.accept().unwrap();
    // The socket stays, and nobody listens, until the run that follows has bound it.
    drop(first);
    thread::sleep(Duration::from_millis(100));
    fs::remove_file(&socket).unwrap();
    let next = UnixListener::bind(&socket).unwrap();
    let (mut caller, _) = next.accept().unwrap();
    let _ = caller.read(&mut [0; 4096]).unwrap();
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{\"tokens\":[]}";
    caller.write_all(answer.as_bytes()).unwrap();
    assert!(verb.wait_with_output().unwrap().status.success());
}

#[test]
fn what_the_agent_refuses_ends_the_verb_with_its_code() {
    let place = Place::new();
    let problem = "HTTP/1.1 422 Unprocessable\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\r\n\
        {\"type\":\"urn:farhold:code:chain.broken\",\"title\":\"T.\",\"status\":422,\
        \"code\":\"chain.broken\",\"detail\":\"record 7\\nwas changed\",\"action\":\"Keep it.\"}";
    let peer = answering(&place, problem);
    let told = refused(&place.run(&["audit", "verify"]), 5, "chain.broken");
    assert_eq!(told, "error: record 7 was changed (chain.broken)\n  try: Keep it.\n");
    peer.join().unwrap();
}

#[test]
fn two_verbs_on_one_state_directory_take_turns() {
    let place = Place::with_state();
    let lock = fs::File::open(place.path().join("state/lock")).unwrap();
    lock.lock().unwrap();
    refused(&place.run(&["status"]), 75, "state.locked");
    lock.unlock().unwrap();
    assert!(place.run(&["status"]).status.success());
}

#[test]
fn root_leaves_nothing_in_the_state_that_its_owner_cannot_open() {
    let place = Place::new();
    let metadata = fs::metadata(place.path()).unwrap();
    if metadata.uid() != 0 {
        return; // only root can be another user
    }
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let state = place.path().join("state");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::chown(&state, Some(65534), Some(65534)).unwrap();
    let tenant = "tenant_id = \"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f\"\nmode = \"detached\"\n";
    fs::write(place.path().join("agent.toml"), tenant).unwrap();
    let output = place.run(&["token", "create", "--type", "app", "--out", "app.token"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let left: Vec<_> = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(!left.is_empty());
    for entry in left {
        let metadata = entry.metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (65534, 65534), "{:?}", entry.path());
    }
    assert_eq!(fs::metadata(place.path().join("app.token")).unwrap().uid(), 0);
}

#[test]
fn the_doctor_sees_a_state_directory_open_to_others() {
    let place = Place::with_state();
    // A cap that any builder's disk has room for: a full disk is another story's.
    fs::write(place.path().join("agent.toml"), "[queue]\ncap = \"64MiB\"\n").unwrap();
    let state = place.path().join("state");
    let outcome = || {
        let output = place.farhold(&["check", "--json"]).stdin(Stdio::null()).output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        (told["checks"][1]["outcome"].clone(), told["checks"][1]["next"].clone())
    };
    assert_eq!(outcome().0, "ok");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).unwrap();
    let (found, next) = outcome();
    assert_eq!(found, "failed");
    assert!(next.as_str().unwrap().starts_with("chmod 0700 "), "{next}");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    fs::remove_dir_all(&state).unwrap();
    assert_eq!(outcome().0, "failed");
}
