//! The verbs that ask the vendor and show the machine, on the binary and without a running agent.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod stage;

use std::{fs, path::Path, process::Output};

use serde_json::Value;
use tempfile::TempDir;

use farhold_bundle::{
    Envelope, decode_typed_form,
    payload::{DocumentType, Request},
    verify_device_document,
};

use stage::{TENANT, configuration, detached};

const PIXELS: usize = 4;

fn site() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("agent.toml"), configuration(&detached(), at)).unwrap();
    folder
}

fn farhold(at: &Path, words: &[&str]) -> Output {
    stage::farhold(at, words).output().unwrap()
}

#[track_caller]
fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The request that a line holds, verified by the key it names.
fn request(line: &[u8]) -> Request {
    let envelope = Envelope::open(line).unwrap();
    assert_eq!(envelope.kind(), DocumentType::Request);
    let payload: Value = serde_json::from_slice(envelope.danger_unverified_payload()).unwrap();
    let key = serde_json::from_value(payload["device_key"].clone()).unwrap();
    Request::clone(&verify_device_document::<Request>(envelope, &key).unwrap())
}

#[test]
fn a_request_is_its_typed_form_alone_and_the_talk_is_apart() {
    let site = site();
    let output = farhold(site.path(), &["request"]);
    let typed = told(&output);
    assert!(typed.starts_with("FH1:") && typed.ends_with('\n') && typed.lines().count() == 1);
    let asked = request(&decode_typed_form(typed.as_bytes()).unwrap());
    assert_eq!(asked.tenant_id.to_string(), TENANT);
    let talk = String::from_utf8(output.stderr).unwrap();
    assert!(talk.contains("license-tool answer") && talk.contains("farhold import"), "{talk}");
}

#[test]
fn a_file_holds_the_envelope_and_no_file_is_written_over() {
    let site = site();
    let written = farhold(site.path(), &["request", "--out", "site.request"]);
    assert_eq!(told(&written), "");
    let file = fs::read(site.path().join("site.request")).unwrap();
    let first = request(file.strip_suffix(b"\n").unwrap());
    let again = farhold(site.path(), &["request", "--out", "site.request"]);
    assert_eq!(again.status.code(), Some(73));
    assert_eq!(fs::read(site.path().join("site.request")).unwrap(), file);
    let inside = farhold(site.path(), &["request", "--out", "state/site.request"]);
    assert_eq!(inside.status.code(), Some(2), "not among the agent's own files");
    let answer: Value =
        serde_json::from_str(&told(&farhold(site.path(), &["request", "--json"]))).unwrap();
    let second = request(answer["envelope"].as_str().unwrap().as_bytes());
    assert_ne!(first.nonce, second.nonce);
    assert_eq!((first.salt, first.device_key), (second.salt, second.device_key));
}

#[test]
fn the_qr_code_that_is_drawn_is_the_request() {
    let site = site();
    let drawn = told(&farhold(site.path(), &["request", "--qr", "--invert"]));
    let rows: Vec<Vec<bool>> = drawn
        .lines()
        .flat_map(|line| {
            [['█', '▀'], ['█', '▄']].map(|dark| line.chars().map(|c| dark.contains(&c)).collect())
        })
        .collect();
    let width = rows[0].len();
    let mut picture =
        rqrr::PreparedImage::prepare_from_greyscale(width * PIXELS, rows.len() * PIXELS, |x, y| {
            if rows[y / PIXELS][x / PIXELS] { 0 } else { 255 }
        });
    let scanned = picture.detect_grids()[0].decode().unwrap().1;
    let asked = request(&decode_typed_form(scanned.as_bytes()).unwrap());
    assert_eq!(asked.tenant_id.to_string(), TENANT);
    let colored = told(&farhold(site.path(), &["request", "--qr"]));
    assert!(colored.starts_with("\x1b["), "black on white, whatever the terminal is");
}

#[test]
fn giving_up_what_is_not_there_fails_and_says_so() {
    let site = site();
    let unknown = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3f01";
    let output = farhold(site.path(), &["request", "--release", unknown]);
    assert_eq!(output.status.code(), Some(2), "nobody can be asked, and --yes was not given");
    let output = farhold(site.path(), &["request", "--yes", "--release", unknown]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(output.stdout, b"");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("(license.missing)") && stderr.contains(unknown), "{stderr}");
}

#[test]
fn a_site_of_no_organization_has_nothing_to_ask() {
    let site = site();
    fs::write(
        site.path().join("agent.toml"),
        format!("state_dir = \"{0}/state\"\nruntime_dir = \"{0}/run\"\n", site.path().display()),
    )
    .unwrap();
    let output = farhold(site.path(), &["request"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("(tenant.missing)"));
}

#[test]
fn the_fingerprint_is_hashes_for_people_and_programs_and_values_for_a_terminal_alone() {
    let site = site();
    told(&farhold(site.path(), &["request"]));
    let shown = told(&farhold(site.path(), &["fingerprint"]));
    assert!(shown.starts_with("COMPONENT"), "{shown}");
    assert!(shown.contains("Recommended binding:"), "{shown}");
    let explained = told(&farhold(site.path(), &["fingerprint", "explain"]));
    assert!(
        explained.contains("No license is bound to components of this machine."),
        "{explained}"
    );
    let answer: Value =
        serde_json::from_str(&told(&farhold(site.path(), &["fingerprint", "explain", "--json"])))
            .unwrap();
    let names: Vec<_> =
        answer["components"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert!(names.contains(&&Value::from("machine_id")), "{names:?}");
    if let Ok(id) = fs::read_to_string("/etc/machine-id") {
        let id = id.trim();
        assert!(
            id.is_empty() || !format!("{shown}{explained}{answer}").contains(id),
            "no raw value"
        );
    }
    let piped = farhold(site.path(), &["fingerprint", "--show-values"]);
    assert_eq!(piped.status.code(), Some(2), "this is no terminal");
}
