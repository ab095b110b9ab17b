//! The command line with a running agent: tokens, audit, doctor, configuration kept.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod stage;

use std::{fs, os::unix::fs::MetadataExt};

use serde_json::Value;

use stage::{Running, TENANT, farhold};

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
fn a_second_agent_on_the_same_state_is_refused() {
    let site = Running::start();
    let second = site.run(&["run"]);
    let stderr = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(75), "{stderr}");
    assert!(stderr.contains("(state.locked)"), "{stderr}");
    assert!(site.run(&["check", "--live"]).status.success(), "the first one still answers");
}
