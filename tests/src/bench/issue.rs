//! Issuing for many, against the arithmetic of signing alone.

use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    num::NonZero,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use ed25519_dalek::{Signer, SigningKey};
use tempfile::TempDir;

use farhold_bundle::{
    Envelope,
    payload::{License, Payload},
};

use super::{
    report::{Bar, Report},
    samples::Samples,
};
use crate::binaries;

const LICENSES: usize = 100_000;
const ROUNDS: usize = 5;
const TIME: Duration = Duration::from_millis(500);

/// A license of five entitlements, two of them counted.
const TEMPLATE: &str = r#"
product = "acme-courses"
expires_on = 2099-12-31

[tenant]
type = "company"

[ladder]
grace = "P14D"
restrict = "P30D"

[[entitlements]]
feature = "courses.publish"
limits = { quota = 500, time_window = "P1M" }

[[entitlements]]
feature = "courses.edit"

[[entitlements]]
feature = "labs.run"
limits = { quota = 50, time_window = "P1D" }

[[entitlements]]
feature = "labs.share"

[[entitlements]]
feature = "reports.export"
"#;

/// Measures it.
///
/// # Errors
/// If the tool can't be run, or does not issue what it was asked to.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    report.part(&format!(
        "Issuing {LICENSES} licenses of five entitlements with a ledger ({ROUNDS} alternating \
         rounds, {cores} cores)"
    ));
    let desk = Desk::new()?;
    desk.issue("--out-jsonl", "first")?;
    let messages = messages(&desk.path().join("first"))?;
    report.figure("signed bytes", &(mean_length(&messages).into()), "B/license");
    let (mut raw, mut lines, mut files, mut again) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    for round in 0..ROUNDS {
        raw.add(signed_on_all_cores(&messages, cores));
        desk.begin_ledger()?;
        let out = format!("lines-{round}");
        lines.add(desk.issue("--out-jsonl", &out)?);
        desk.require_lines(&out)?;
        desk.begin_ledger()?;
        let out = format!("files-{round}");
        files.add(desk.issue("--out-dir", &out)?);
        desk.require_files(&out)?;
        again.add(desk.issue("--out-jsonl", &format!("again-{round}"))?);
    }
    report.figure_with("ed25519-dalek on all cores", &raw, "/s", "the same messages");
    report.figure("as JSON Lines", &lines, "licenses/s");
    report.bar("JSON Lines ÷ signing alone", &lines.over(&raw), "", Bar::AtLeast(0.5));
    report.bar("as one file each", &files, "licenses/s", Bar::AtLeast(8_000.0));
    report.figure_with("the same again", &again, "licenses/s", "all in the ledger already");
    Ok(())
}

/// A vendor's desk: keys, a root, a template, and a table of customers.
struct Desk(TempDir);

impl Desk {
    fn new() -> Result<Self> {
        let desk = Self(tempfile::tempdir()?);
        for role in ["root", "license", "revocation", "kernel"] {
            desk.run(&["keygen", &format!("{role}.key"), "--unencrypted"])?;
        }
        desk.run(&[
            "root",
            "init",
            "--issuer",
            "Bench",
            "--root-key",
            "root.key",
            "--license-key",
            "license.key",
            "--revocation-key",
            "revocation.key",
            "--kernel-key",
            "kernel.key",
            "--out",
            "root.json",
        ])?;
        fs::write(desk.path().join("template.toml"), TEMPLATE)?;
        let mut table = String::from("tenant_id,issued_to,expires_on,limits.courses.publish\n");
        for number in 0..LICENSES {
            let tenant = format!("01939b6e-3c5f-7a31-8b53-{number:012x}");
            writeln!(
                table,
                "{tenant},Customer number {number},2098-{:02}-28,{}",
                number % 12 + 1,
                number + 1
            )?;
        }
        fs::write(desk.path().join("customers.csv"), table)?;
        desk.begin_ledger()?;
        Ok(desk)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// An empty ledger.
    fn begin_ledger(&self) -> Result<()> {
        let _ = fs::remove_file(self.path().join("ledger")); // the first one has none before it
        self.run(&["ledger", "begin", "ledger", "--root", "root.json"])
    }

    /// Issues the whole table, start of the process included; licenses a second.
    fn issue(&self, form: &str, out: &str) -> Result<f64> {
        let begun = Instant::now();
        self.run(&[
            "issue",
            "template.toml",
            "--csv",
            "customers.csv",
            "--ledger",
            "ledger",
            "--root",
            "root.json",
            "--key",
            "license.key",
            form,
            out,
        ])?;
        Ok(LICENSES as f64 / begun.elapsed().as_secs_f64())
    }

    fn require_lines(&self, out: &str) -> Result<()> {
        let lines = fs::read(self.path().join(out))?;
        let count = lines.iter().filter(|&&byte| byte == b'\n').count();
        ensure!(count == LICENSES, "{count} lines");
        fs::remove_file(self.path().join(out))?;
        Ok(())
    }

    fn require_files(&self, out: &str) -> Result<()> {
        let count = fs::read_dir(self.path().join(out))?.count();
        ensure!(count == LICENSES, "{count} files");
        fs::remove_dir_all(self.path().join(out))?;
        Ok(())
    }

    fn run(&self, words: &[&str]) -> Result<()> {
        let tool = binaries::path("license-tool");
        let output = Command::new(tool).current_dir(self.path()).args(words).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {said}", words.join(" "));
        Ok(())
    }
}

/// What was signed, of each license of a file.
fn messages(lines: &Path) -> Result<Vec<Vec<u8>>> {
    let bytes = fs::read(lines)?;
    let message = |line: &[u8]| {
        let envelope = Envelope::open(line).context("a license")?;
        let payload = envelope.danger_unverified_payload();
        let kind = License::TYPE.media_type();
        let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
        message.extend_from_slice(payload);
        anyhow::Ok(message)
    };
    bytes.trim_ascii_end().split(|&byte| byte == b'\n').take(4096).map(message).collect()
}

fn mean_length(messages: &[Vec<u8>]) -> f64 {
    messages.iter().map(Vec::len).sum::<usize>() as f64 / messages.len().max(1) as f64
}

/// All cores at once, each doing nothing but sign.
fn signed_on_all_cores(messages: &[Vec<u8>], cores: usize) -> f64 {
    thread::scope(|scope| {
        let signing: Vec<_> =
            (0..cores).map(|_| scope.spawn(|| signed_per_second(messages))).collect();
        signing.into_iter().map(|core| core.join().unwrap_or(f64::NAN)).sum()
    })
}

fn signed_per_second(messages: &[Vec<u8>]) -> f64 {
    let key = SigningKey::from_bytes(&[7; 32]);
    let begun = Instant::now();
    let mut signed = 0_u32;
    for message in messages.iter().cycle() {
        black_box(key.sign(black_box(message)));
        signed += 1;
        if signed.is_multiple_of(64) && begun.elapsed() >= TIME {
            break;
        }
    }
    f64::from(signed) / begun.elapsed().as_secs_f64()
}
