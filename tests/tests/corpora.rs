//! The fuzz targets over their committed corpora: what was found once stays found.
//!
//! `UPDATE=1 cargo test -p farhold-tests --test corpora` writes the seeds anew from the vectors;
//! what a run of `just fuzz` found is put beside them by hand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "../../fuzz/src/bodies/mod.rs"]
mod bodies;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use farhold_bundle::{Envelope, is_typed_form, payload::DocumentType};
use farhold_tests::{
    binaries, vectors,
    vectors::vector::{Expect, Kind, Vector},
};

use bodies::{TARGETS, TYPES};

/// Largest seed: a fuzzer works on small inputs.
const SEED_MAX_BYTES: usize = 4 * 1024;

#[test]
fn every_seed_passes_its_target() {
    for (name, body) in TARGETS {
        let seeds = files(&folder(name));
        assert!(seeds.len() >= 3, "{name} has {} seeds: run with UPDATE=1", seeds.len());
        for (path, bytes) in seeds {
            let ran = std::panic::catch_unwind(|| body(&bytes));
            assert!(ran.is_ok(), "{} fails {name}", path.display());
        }
    }
}

#[test]
fn every_target_survives_what_every_vector_holds() {
    for (path, vector) in vectors::all() {
        let input = vector.input().unwrap();
        if input.len() > 1 << 20 {
            continue; // too large on purpose: format/ has them, and vectors.rs runs them
        }
        for (name, body) in TARGETS {
            let ran = std::panic::catch_unwind(|| body(&input));
            assert!(ran.is_ok(), "{} fails {name}", path.display());
        }
    }
}

#[test]
fn every_type_of_document_is_a_target_of_its_own() {
    let mut seen: Vec<DocumentType> = Vec::new();
    for (_, bytes) in files(&folder("payload")) {
        let kind = TYPES[usize::from(bytes[0]) % TYPES.len()];
        if !seen.contains(&kind) {
            seen.push(kind);
        }
    }
    for kind in TYPES {
        assert!(seen.contains(&kind), "no seed of the target payload is a {kind}");
    }
}

fn folder(target: &str) -> PathBuf {
    binaries::project().join("fuzz/corpus").join(target)
}

/// Written before the first test reads them.
static SEEDS: LazyLock<()> = LazyLock::new(|| {
    if env::var_os("UPDATE").is_some() {
        write_seeds();
    }
});

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    LazyLock::force(&SEEDS);
    let entries = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()));
    entries.into_iter().flatten().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// One seed an area and outcome: the fuzzer finds its way from one to the next.
fn write_seeds() {
    let mut seeds: BTreeMap<(&str, String), Vec<u8>> = BTreeMap::new();
    for (path, vector) in vectors::all() {
        let area = path.parent().unwrap().display().to_string();
        let name = format!("{area}-{}", outcome(&vector));
        let input = vector.input().unwrap();
        let mut add = |target, name: &str, bytes: Vec<u8>| {
            if bytes.len() <= SEED_MAX_BYTES {
                seeds.entry((target, name.to_owned())).or_insert(bytes);
            }
        };
        if is_typed_form(&input) || vector.kind == Kind::TypedForm {
            let stem = path.file_stem().unwrap().display().to_string();
            add("typed_form", &stem, input.clone());
        }
        if vector.kind == Kind::Import {
            add("import", &name, input.clone());
        }
        if vector.kind == Kind::Signature {
            continue;
        }
        for line in input.split(|byte| *byte == b'\n') {
            let Ok(opened) = Envelope::open(line) else {
                if line.starts_with(b"{\"payload\"") {
                    add("envelope", &name, line.to_vec());
                }
                continue;
            };
            let kind = opened.kind();
            let payload = opened.danger_unverified_payload();
            add("envelope", &format!("{kind}-{name}"), line.to_vec());
            let choice = TYPES.iter().position(|other| *other == kind).unwrap();
            let choice = u8::try_from(choice).unwrap();
            add("payload", &format!("{kind}-{name}"), [&[choice], payload].concat());
            if kind == DocumentType::Request {
                add("request", &name, line.to_vec());
            }
        }
    }
    for (name, line) in own_requests() {
        let payload = Envelope::open(&line).unwrap().danger_unverified_payload().to_vec();
        let choice = TYPES.iter().position(|kind| *kind == DocumentType::Request).unwrap();
        let choice = u8::try_from(choice).unwrap();
        seeds.insert(("payload", format!("request-{name}")), [&[choice], &payload[..]].concat());
        seeds.insert(("request", name.to_owned()), line);
    }
    for (name, choice, payload) in own_device_documents() {
        seeds.insert(("payload", name.to_owned()), [&[choice], payload.as_bytes()].concat());
    }
    for ((target, name), bytes) in seeds {
        fs::create_dir_all(folder(target)).unwrap();
        fs::write(folder(target).join(name), bytes).unwrap();
    }
}

fn outcome(vector: &Vector) -> String {
    match &vector.expect {
        Expect::Taken { .. } => "taken".to_owned(),
        Expect::Refused { code, .. } => code.to_string(),
    }
}

/// Requests as sites make them: the vectors have none that is answered.
fn own_requests() -> Vec<(&'static str, Vec<u8>)> {
    use bodies::support::{NONCE, TENANT_A, device, license_id, line};
    use serde_json::json;

    let plain = json!({
        "device_key": device().public(),
        "fingerprint": {},
        "salt": NONCE,
        "tenant_id": TENANT_A,
        "nonce": NONCE,
        "licenses": [],
        "usage": [],
        "wall": "2027-06-01T12:00:00Z",
        "mark": "2027-06-01T12:00:00Z",
    });
    let mut full = plain.clone();
    full["fingerprint"] = json!({
        "machine_id": "0011223344556677",
        "nic.eth0": "8899aabbccddeeff",
        "disk.root": "0123456789abcdef",
    });
    full["root"] = json!({ "version": 1, "sha256": "ab".repeat(32) });
    full["licenses"] =
        json!([{ "license_id": license_id(1), "serial": 1, "sha256": "cd".repeat(32) }]);
    full["usage"] = json!([{ "license_id": license_id(1), "feature": "live.rooms", "used": 9 }]);
    full["release"] = json!(license_id(1));
    let signed = |content| line(DocumentType::Request, content, &[device()]);
    vec![("plain", signed(&plain)), ("full", signed(&full))]
}

/// What an agent signs for the Kernel alone, of which the vectors have none.
fn own_device_documents() -> Vec<(&'static str, u8, String)> {
    use bodies::support::{NONCE, device};
    use serde_json::json;

    let place = |kind: DocumentType| {
        u8::try_from(TYPES.iter().position(|other| *other == kind).unwrap()).unwrap()
    };
    let enroll = json!({
        "secret": "00".repeat(32),
        "csr": "AAAA",
        "device_key": device().public(),
        "agent_version": "0.1.0",
    });
    let renew = json!({
        "runtime_id": "01939b6e-0000-7000-8000-00000000000d",
        "csr": "AAAA",
        "nonce": NONCE,
        "wall": "2027-06-01T12:00:00Z",
    });
    vec![
        ("enroll-plain", place(DocumentType::Enroll), enroll.to_string()),
        ("renew-plain", place(DocumentType::Renew), renew.to_string()),
    ]
}
