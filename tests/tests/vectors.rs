//! Every vector there is, through the library and through `license-tool`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

use farhold_bundle::{DocumentType, Envelope};
use farhold_contract::{Code, Sha256Digest};
use farhold_tests::{
    binaries, vectors,
    vectors::{
        run,
        vector::{Expect, Kind, Vector},
    },
};

/// Every vector by its path, read from its file; a file that is not understood fails.
fn all() -> BTreeMap<String, Vector> {
    let files = vectors::files().unwrap();
    assert!(!files.is_empty(), "there are no vectors");
    let read = |(path, bytes): (std::path::PathBuf, Vec<u8>)| {
        let name = path.display().to_string();
        assert_eq!(path.components().count(), 2, "{name} is not <area>/<condition>.json");
        assert!(name.ends_with(".json"), "{name} is not <area>/<condition>.json");
        let vector = serde_json::from_slice(&bytes)
            .unwrap_or_else(|error| panic!("{name} is not understood: {error}"));
        (name, vector)
    };
    files.into_iter().map(read).collect()
}

/// Fails with everything that was found, not only with the first.
fn require_none(found: &[String]) {
    assert!(found.is_empty(), "{} vectors fail:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_files_are_what_the_generator_writes() {
    require_none(&vectors::drift().unwrap());
}

#[test]
fn a_vector_that_is_not_understood_is_not_passed() {
    let known = serde_json::to_value(vectors::all().into_values().next().unwrap()).unwrap();
    serde_json::from_value::<Vector>(known.clone()).unwrap();
    for (member, value) in [
        ("kind", "guess".into()),
        ("later", 1.into()),
        ("input", serde_json::json!({ "text": "", "base64": "" })),
        ("expect", serde_json::json!({ "code": "no.such_code" })),
        ("expect", serde_json::json!({ "ok": {}, "code": "bundle.malformed" })),
    ] {
        let mut unknown = known.clone();
        unknown[member] = value;
        assert!(serde_json::from_value::<Vector>(unknown).is_err(), "{member}");
    }
    let mut unread = vectors::all().into_values().next().unwrap();
    unread.sha256 = Some(own_hash("/dev/null"));
    run::run(&unread).unwrap_err();
}

#[test]
fn every_vector_holds_through_the_library() {
    let mut failed = Vec::new();
    for (name, vector) in all() {
        match run::run(&vector) {
            Ok(outcome) if outcome == vector.expect => {}
            Ok(outcome) => {
                failed.push(format!("{name}: {outcome:?}, not {:?}", vector.expect));
            }
            Err(why) => failed.push(format!("{name} can't be run: {why}")),
        }
    }
    require_none(&failed);
}

/// What a verifier that is not strict takes: so these vectors lie on the edge and not beyond it.
#[test]
fn the_edges_of_ed25519_are_where_the_vectors_say() {
    let vectors = all();
    let lenient = |name: &str| {
        let vector = &vectors[&format!("ed25519/{name}.json")];
        let bytes = |hex: &Option<String>| hex::decode(hex.as_ref().unwrap()).unwrap();
        let key = bytes(&vector.public_key).try_into().unwrap();
        let signature = Signature::from_slice(&bytes(&vector.signature)).unwrap();
        let key = VerifyingKey::from_bytes(&key).unwrap();
        key.verify(&vector.input().unwrap(), &signature).is_ok()
    };
    for name in ["honest", "r-neutral-and-the-equation-holds", "key-neutral"] {
        assert!(lenient(name), "{name}");
    }
    for name in ["r-of-order-2", "r-of-order-4", "r-of-order-8", "s-1", "of-another-message"] {
        assert!(!lenient(name), "{name}");
    }
}

#[test]
fn every_vector_that_the_tool_can_judge_holds_through_the_tool() {
    let tool = Tool::new();
    let mut failed = Vec::new();
    let mut judged: BTreeMap<Kind, usize> = BTreeMap::new();
    for (name, vector) in all() {
        if !tool_can_judge(&vector) {
            continue;
        }
        *judged.entry(vector.kind).or_default() += 1;
        if let Err(why) = tool.holds(&vector) {
            failed.push(format!("{name}: {why}"));
        }
    }
    require_none(&failed);
    // Of each kind the tool judged something, and of imports most.
    assert_eq!(judged.len(), 4, "{judged:?}");
    assert!(judged[&Kind::Import] >= 80, "{judged:?}");
}

#[test]
fn inspecting_any_vector_marks_every_line_and_never_says_verified() {
    let tool = Tool::new();
    for (name, vector) in all() {
        let file = tool.write("inspected", &vector.input().unwrap());
        let output = tool.run(&["inspect", &file]);
        let text = String::from_utf8(output.stdout).unwrap();
        for line in text.lines() {
            assert!(line.starts_with("UNVERIFIED"), "{name}: {line}");
        }
        let code = output.status.code().unwrap();
        // A document that can't be read is bad data, and never a question of trust; a record that
        // can't be read is a broken chain.
        let broken = vector.kind == Kind::Export && code == 5;
        assert!([0, 65].contains(&code) || broken, "{name} ends with {code}");
        assert!(code != 0 || !text.is_empty(), "{name} is shown as nothing");
    }
}

/// The tool knows one root and today, and no site.
fn tool_can_judge(vector: &Vector) -> bool {
    match vector.kind {
        Kind::Import => {}
        Kind::Install | Kind::TypedForm | Kind::Export => return true,
        Kind::Signature | Kind::Component | Kind::Floor => return false,
    }
    let days = ["2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z"].map(|day| day.parse().unwrap());
    vector.site.is_none()
        && vector.standing.len() == 1
        && days.into_iter().all(|day| run::import_at(vector, day).unwrap() == vector.expect)
        // It reads no file beyond the limit of a bundle, and says so by another code.
        && vector.expect != refused(Code::BundleTooLarge, None)
        // It asks for the oldest root of a file instead of skipping one that it can't prove.
        && !brings_an_older_root(vector)
}

fn brings_an_older_root(vector: &Vector) -> bool {
    let version = |line: &[u8]| {
        let root = Envelope::open(line).ok().filter(|line| line.kind() == DocumentType::Root)?;
        let root: Value = serde_json::from_slice(root.danger_unverified_payload()).ok()?;
        root["version"].as_u64()
    };
    let installed = version(vector.standing[0].as_bytes());
    let input = vector.input().unwrap();
    input.split(|&byte| byte == b'\n').filter_map(version).any(|offered| Some(offered) < installed)
}

const fn refused(code: Code, line: Option<usize>) -> Expect {
    Expect::Refused { code, line }
}

/// `license-tool`, and a folder for what it reads.
struct Tool {
    binary: std::path::PathBuf,
    folder: tempfile::TempDir,
}

impl Tool {
    fn new() -> Self {
        Self { binary: binaries::path("license-tool"), folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(&self.binary).args(arguments).output().unwrap()
    }

    fn holds(&self, vector: &Vector) -> Result<(), String> {
        let file = self.write("input", &vector.input().unwrap());
        let output = match vector.kind {
            Kind::Import => {
                let root = self.write("root", vector.standing[0].as_bytes());
                self.run(&["--json", "verify", "--root", &root, &file])
            }
            Kind::Install => {
                let hash = vector.sha256.unwrap_or_else(|| own_hash(&file)).to_string();
                self.run(&["--json", "root", "show", "--sha256", &hash, &file])
            }
            // A text that is not typed form at all is some other file to `inspect`.
            Kind::TypedForm if !begins_as_typed_form(Path::new(&file)) => return Ok(()),
            Kind::TypedForm => self.run(&["--json", "inspect", &file]),
            Kind::Signature | Kind::Component | Kind::Floor => {
                return Err("the tool is not asked this".to_owned());
            }
            Kind::Export => match &vector.device_key {
                Some(key) => self.run(&[
                    "--json",
                    "audit",
                    "verify",
                    "--device-key",
                    &key.to_string(),
                    &file,
                ]),
                None => self.run(&["--json", "audit", "verify", &file]),
            },
        };
        let said: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("its JSON can't be read: {error}"))?;
        let exit = output.status.code();
        match &vector.expect {
            Expect::Refused { code, .. } => {
                if said["error"]["code"] != code.as_str() {
                    return Err(format!("{}, not {code}", said["error"]));
                }
                (exit == Some(code.exit().code().into()))
                    .then_some(())
                    .ok_or_else(|| format!("exit {exit:?} for {code}"))
            }
            Expect::Taken { ok } => {
                if exit != Some(0) || !said["error"].is_null() {
                    return Err(format!("exit {exit:?}, {}", said["error"]));
                }
                agrees(vector.kind, ok, &said)
            }
        }
    }
}

/// The hash of the payload itself: where none was carried apart, the file is trusted.
fn own_hash(file: &str) -> Sha256Digest {
    let envelope = Envelope::open(&fs::read(file).unwrap());
    let payload = envelope.map_or(Vec::new(), |line| line.danger_unverified_payload().to_vec());
    Sha256Digest::new(Sha256::digest(payload).into())
}

fn begins_as_typed_form(file: &Path) -> bool {
    farhold_bundle::is_typed_form(&fs::read(file).unwrap())
}

/// Whether what the tool says of something taken is what must come of it.
fn agrees(kind: Kind, ok: &Value, said: &Value) -> Result<(), String> {
    let pairs = match kind {
        Kind::Import => {
            let outcomes: Vec<_> =
                said["lines"].as_array().unwrap().iter().map(|line| &line["outcome"]).collect();
            let serials: Vec<_> = said["licenses"]
                .as_array()
                .unwrap()
                .iter()
                .map(|license| &license["serial"])
                .collect();
            vec![
                (serde_json::json!(outcomes), ok["outcomes"].clone()),
                (serde_json::json!(serials), ok["serials"].clone()),
                (said["fallen"].as_array().unwrap().len().into(), ok["fallen"].clone()),
                (said["verified"].clone(), true.into()),
            ]
        }
        Kind::Install => {
            vec![
                (said["root"]["version"].clone(), ok["version"].clone()),
                (said["sha256"].clone(), ok["sha256"].clone()),
                (said["verified"].clone(), true.into()),
            ]
        }
        Kind::TypedForm => {
            let line: Value = serde_json::from_str(ok["line"].as_str().unwrap()).unwrap();
            let claim = &said["claims"][0];
            vec![
                (claim["key_ids"][0].clone(), line["signatures"][0]["keyid"].clone()),
                (
                    format!("application/vnd.farhold.{}.v1+json", claim["type"].as_str().unwrap())
                        .into(),
                    line["payloadType"].clone(),
                ),
                (said["verified"].clone(), false.into()),
            ]
        }
        Kind::Signature | Kind::Component | Kind::Floor => Vec::new(),
        Kind::Export => vec![
            (said["records"].clone(), ok["records"].clone()),
            (said["to_seq"].clone(), ok["to_seq"].clone()),
            (said["head"].clone(), ok["head"].clone()),
            (said["verified"].clone(), true.into()),
        ],
    };
    match pairs.into_iter().find(|(said, expected)| said != expected) {
        Some((said, expected)) => Err(format!("it says {said}, not {expected}")),
        None => Ok(()),
    }
}
