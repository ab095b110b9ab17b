//! The command line with a running agent: tokens, audit, doctor, configuration kept.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod stage;

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use stage::{Running, TENANT, configuration, detached, farhold};

#[test]
fn a_token_is_shown_once_listed_and_revoked() {
    let site = Running::start();
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
    let site = Running::start();
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
    let site = Running::start();
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
    let site = Running::start();
    let live = site.run(&["check", "--live"]);
    assert!(live.status.success() && live.stdout.is_empty() && live.stderr.is_empty());
    let found = site.json(&["check"]);
    let outcomes: Vec<&str> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["ok", "ok", "ok", "ok", "failed", "ok", "ok", "ok", "ok"], "{found}");
    assert_eq!(found["checks"][4]["next"], "Import a license: farhold import FILE.");
    assert_eq!(site.run(&["check"]).status.code(), Some(4));
    let without = site.run(&["check", "--skip", "license-in-force"]);
    assert_eq!(without.status.code(), Some(0));
}

#[test]
fn status_is_told_to_people_and_programs() {
    let site = Running::start();
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
fn a_log_that_takes_no_line_ends_nothing() {
    let mut site = Running::start_unheard();
    for _ in 0..3 {
        let refused = site.run(&["import", "agent.toml"]);
        assert_eq!(refused.status.code(), Some(65), "{}", String::from_utf8_lossy(&refused.stderr));
    }
    assert!(site.run(&["check", "--live"]).status.success(), "its doors are open");
    assert!(site.stops(), "it ends as told, not by a panic");
}

#[test]
fn a_second_agent_on_the_same_state_is_refused() {
    let site = Running::start();
    let second = site.run(&["run"]);
    let stderr = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(75), "{stderr}");
    assert!(stderr.contains("(state.locked)") && stderr.contains("an agent (process "), "{stderr}");
    assert!(!stderr.contains("waits for it"), "an agent stays, so nobody waits for it: {stderr}");
    assert!(site.run(&["check", "--live"]).status.success(), "the first one still answers");
}

/// A stopped site whose state directory something that is no agent has, as a verb does.
fn held_by_a_verb() -> (TempDir, fs::File) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("agent.toml"), configuration(&detached(), at)).unwrap();
    fs::create_dir(at.join("run")).unwrap();
    assert!(farhold(at, &["request"]).output().unwrap().status.success());
    let lock = fs::File::open(at.join("state/lock")).unwrap();
    lock.lock().unwrap();
    (folder, lock)
}

#[test]
fn an_agent_waits_for_a_verb_that_has_the_state_and_says_so_at_once() {
    let (folder, lock) = held_by_a_verb();
    let mut agent = farhold(folder.path(), &["run"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(agent.stderr.take().unwrap()).lines();
    let waits = log.next().unwrap().unwrap();
    assert!(waits.contains("WARN") && waits.contains("the agent waits for it"), "{waits}");
    lock.unlock().unwrap();
    let serves = log.map(Result::unwrap).find(|line| line.contains("the agent serves"));
    assert!(serves.is_some(), "it has begun, or its log has ended");
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[test]
fn an_agent_that_waited_in_vain_ends_as_one_that_can_try_again() {
    let (folder, _lock) = held_by_a_verb();
    let ended = farhold(folder.path(), &["run"]).output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(75), "{stderr}");
    assert!(stderr.contains("the agent waits for it"), "{stderr}");
    assert!(stderr.contains("another process has the state directory"), "{stderr}");
    assert!(stderr.contains("(state.locked)"), "{stderr}");
}

#[test]
fn a_file_name_in_the_drop_folder_moves_no_terminal() {
    let site = Running::start_with("import.drop_folder = \"{AT}/drop\"\n");
    let drop = site.at().join("drop");
    fs::create_dir(&drop).unwrap();
    fs::set_permissions(&drop, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(drop.join("a\u{1b}[2J\u{61c}\u{202e}.bundle"), b"junk\n").unwrap();
    let began = Instant::now();
    let log = loop {
        let log = fs::read_to_string(site.at().join("log")).unwrap();
        if log.contains("a bundle of the drop folder was taken") {
            break log;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it is taken: {log}");
        thread::sleep(Duration::from_millis(100));
    };
    for moves in ['\u{1b}', '\u{61c}', '\u{202e}'] {
        assert!(!log.contains(moves), "{moves:?} in {log:?}");
    }
    assert!(log.contains("refused/a\u{fffd}[2J\u{fffd}\u{fffd}.bundle"), "{log}");
    // It is no bundle of anybody's: recorded, and no condition.
    let codes = site.json(&["status"])["conditions"].to_string();
    assert!(!codes.contains("bundle_rejected"), "{codes}");
    let shown = String::from_utf8(site.run(&["audit", "tail"]).stdout).unwrap();
    assert!(shown.contains("agent.bundle.refused"), "{shown}");
}
