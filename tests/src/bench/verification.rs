//! Bar 3: verifying a signed license, against the signature's own arithmetic.

use std::{
    fs,
    hint::black_box,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use farhold_bundle::{
    Envelope, TrustRoot,
    payload::{Entitlement, License, Payload, Role},
};

use super::{
    report::{Bar, Report},
    samples::Samples,
    server::{printed, program},
};
use crate::site::{Document, Vendor};

const PAYLOAD_BYTES: usize = 4096;
const ROUNDS: usize = 9;
const TIME: Duration = Duration::from_millis(250);
const PEER_ROUNDS: usize = 3;
const PROCESSES: u32 = 50;

/// Measures it.
///
/// # Errors
/// If a license can't be made. The peers may be absent.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    report.part(&format!(
        "Verification of a license of {PAYLOAD_BYTES} B, one thread \
         ({ROUNDS} alternating rounds of {} ms)",
        TIME.as_millis()
    ));
    let vendor = Vendor::new();
    let document = license(&vendor)?;
    let bytes = document.bytes();
    let line = bytes.strip_suffix(b"\n").context("a line ends with a line feed")?;
    let root = vendor.root().bytes();
    let root = TrustRoot::install(root.trim_ascii_end(), None)?;
    let raw = Raw::of(&root, line)?;
    if Envelope::open(line)?.danger_unverified_payload().len() != PAYLOAD_BYTES {
        bail!("the license is not of {PAYLOAD_BYTES} bytes");
    }

    let (mut strict, mut proven, mut typed) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        strict.add(per_second(|| raw.verify())?);
        proven.add(per_second(|| {
            black_box(root.prove(Envelope::open(black_box(line))?)?);
            Ok(())
        })?);
        typed.add(per_second(|| {
            black_box(root.verify::<License>(Envelope::open(black_box(line))?)?);
            Ok(())
        })?);
    }
    report.figure("verify_strict alone, on the same bytes", &strict, "/s");
    report.figure("line → proven bytes", &proven, "/s");
    report.figure("line → Verified<License>", &typed, "/s");
    report.bar("proven ÷ verify_strict", &proven.over(&strict), "", Bar::AtLeast(0.9));
    report.bar("Verified<License> ÷ verify_strict", &typed.over(&strict), "", Bar::AtLeast(0.5));
    match openssl() {
        Ok(samples) => report.figure("openssl speed ed25519, verify", &samples, "/s"),
        Err(error) => report.absent("openssl", &error),
    }
    match minisign() {
        Ok(samples) => {
            report.figure_with("minisign -V", &samples, "/s", "a process each");
        }
        Err(error) => report.absent("minisign", &error),
    }
    Ok(())
}

/// A license whose payload has exactly the bytes: entitlements, and a note for the rest.
fn license(vendor: &Vendor) -> Result<Document> {
    let first = vendor.license(|license| license.feature("courses.module-00000").quota(500));
    let mut license: License = serde_json::from_value(first.payload())?;
    let template = license.entitlements.first().cloned().context("an entitlement")?;
    let length = |license: &License| anyhow::Ok(serde_json::to_vec(license)?.len());
    let note = |bytes: usize| {
        let note = Value::String("n".repeat(bytes));
        Some(serde_json::Map::from_iter([("note".to_owned(), note)]))
    };
    license.metadata = note(0);
    while length(&license)? < PAYLOAD_BYTES - 100 {
        let feature = format!("courses.module-{:05}", license.entitlements.len());
        license.entitlements.push(Entitlement { feature, ..template.clone() });
    }
    let missing =
        PAYLOAD_BYTES.checked_sub(length(&license)?).context("the license is too long")?;
    license.metadata = note(missing);
    Ok(vendor.sealed(&license, Role::License))
}

/// The signature's own arithmetic, on exactly the bytes that are signed.
struct Raw {
    key: VerifyingKey,
    message: Vec<u8>,
    signature: Signature,
}

impl Raw {
    fn of(root: &TrustRoot, line: &[u8]) -> Result<Self> {
        let envelope: Value = serde_json::from_slice(line)?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a text");
        let key_id = text(&envelope["signatures"][0]["keyid"])?;
        let key = root.root().keys.iter().find(|key| key.public_key.id().to_string() == key_id);
        let key = key.context("the key is the root's")?.public_key.as_bytes();
        let signature = STANDARD.decode(text(&envelope["signatures"][0]["sig"])?)?;
        let payload = STANDARD.decode(text(&envelope["payload"])?)?;
        let kind = License::TYPE.media_type();
        let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
        message.extend(payload);
        Ok(Self {
            key: VerifyingKey::from_bytes(key)?,
            message,
            signature: Signature::from_slice(&signature)?,
        })
    }

    fn verify(&self) -> Result<()> {
        Ok(self.key.verify_strict(black_box(&self.message), black_box(&self.signature))?)
    }
}

fn per_second(mut once: impl FnMut() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    let mut times = 0_u32;
    while begun.elapsed() < TIME {
        for _ in 0..16 {
            once()?;
        }
        times += 16;
    }
    Ok(f64::from(times) / begun.elapsed().as_secs_f64())
}

/// `openssl speed` signs and verifies a short message; the last column is verifications a second.
fn openssl() -> Result<Samples> {
    let openssl = program("openssl")?;
    let once = || {
        let mut command = Command::new(&openssl);
        let told = printed(command.args(["speed", "-seconds", "1", "ed25519"]))?;
        let line = told.lines().rfind(|line| line.contains("Ed25519") && line.contains("bits"));
        let figure = line.and_then(|line| line.split_whitespace().last());
        Ok(figure.context("openssl told no figure")?.parse()?)
    };
    (0..PEER_ROUNDS).map(|_| once()).collect()
}

/// Whole processes, as a person would verify.
fn minisign() -> Result<Samples> {
    let minisign = program("minisign")?;
    let folder = tempfile::tempdir()?;
    let run =
        |words: &[&str]| printed(Command::new(&minisign).current_dir(folder.path()).args(words));
    fs::write(folder.path().join("file"), [b'f'; PAYLOAD_BYTES])?;
    run(&["-G", "-W", "-p", "key.pub", "-s", "key.sec"])?;
    run(&["-S", "-s", "key.sec", "-m", "file"])?;
    let once = || {
        let begun = Instant::now();
        for _ in 0..PROCESSES {
            run(&["-V", "-q", "-p", "key.pub", "-m", "file"])?;
        }
        Ok(f64::from(PROCESSES) / begun.elapsed().as_secs_f64())
    };
    (0..PEER_ROUNDS).map(|_| once()).collect()
}
