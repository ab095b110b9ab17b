//! A vendor's desk: a folder of keys and documents, and the real tool run in it.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // each test file uses a part of it

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use farhold_audit::{
    AgentStanding, ChainPosition, Class, Epoch, ExportWriter, Opening, Previous, Record, Withhold,
    checkpoint,
};
use farhold_bundle::{
    Positive, Signer, Whole,
    payload::{Request, RootRef},
    seal,
};
use farhold_contract::{Timestamp, id::TenantId};
use farhold_keys::FileSigner;

pub(crate) const TENANT: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f";
pub(crate) const LICENSE: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4a";
pub(crate) const MADE_AT: &str = "2026-11-01T00:00:00Z";
pub(crate) const ISSUED_AT: &str = "2026-11-22T07:00:00Z";

pub(crate) const TEMPLATE: &str = r#"
license_id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4a"
product = "acme-courses"
issued_to = "Universidad del Sur"
expires_on = 2027-12-31

[tenant]
tenant_id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f"
type = "company"

[ladder]
grace = "P14D"
restrict = "P30D"

[[entitlements]]
feature = "courses.publish"
limits = { quota = 500, time_window = "P1M" }
"#;

pub(crate) struct Desk {
    folder: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    /// Four keys without passphrases, root 1, and a template.
    pub(crate) fn new() -> Self {
        let desk = Self::empty();
        for key in ["root", "license", "revocation", "kernel"] {
            desk.keygen(key);
        }
        desk.root_init("root.json", &[]);
        desk.write("acme.toml", TEMPLATE);
        desk
    }

    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// A file that its owner alone may read.
    pub(crate) fn write_secret(&self, name: &str, content: &str) {
        farhold_keys::write_secret(&self.path(name), content.as_bytes()).unwrap();
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    pub(crate) fn signer(&self, key: &str) -> FileSigner {
        farhold_keys::load(&self.path(&format!("{key}.key")), None).unwrap()
    }

    /// A key without a passphrase; its public half.
    pub(crate) fn keygen(&self, name: &str) -> String {
        let made = self.done(&format!("keygen {name}.key --unencrypted --json"));
        made["public_key"].as_str().unwrap().to_owned()
    }

    pub(crate) fn root_init(&self, out: &str, more: &[&str]) {
        let mut line = format!(
            "root init --issuer ACME --license-key license.key --revocation-key revocation.key \
             --kernel-key kernel.key --at {MADE_AT} --out {out} --json"
        );
        for word in more {
            line.push(' ');
            line.push_str(word);
        }
        if !line.contains("--root-key") {
            line.push_str(" --root-key root.key");
        }
        if !line.contains("--expires") {
            line.push_str(" --expires 9000-01-01");
        }
        self.done(&line);
    }

    /// Issues the template as one serial.
    pub(crate) fn issue(&self, serial: u64, out: &str) {
        self.done(&format!(
            "issue acme.toml --key license.key --root root.json --serial {serial} \
             --at {ISSUED_AT} --out {out} --json"
        ));
    }

    /// Runs the tool with these words.
    pub(crate) fn run(&self, line: &str) -> Ran {
        let output = self.command(line).output().unwrap();
        Ran {
            exit: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_license-tool"));
        command.current_dir(self.folder.path()).args(line.split_ascii_whitespace());
        command.stdin(Stdio::null());
        command
    }

    /// Runs a line and kills it once the ledger has grown by so many bytes, or it is done.
    pub(crate) fn killed_after(&self, grown: u64, line: &str) {
        let ledger_bytes = || fs::metadata(self.path("ledger")).unwrap().len();
        let target = ledger_bytes() + grown;
        let mut command = self.command(line);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while ledger_bytes() < target && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let _ = child.kill();
        child.wait().unwrap();
    }

    /// Runs what must succeed; its JSON, if it printed any.
    pub(crate) fn done(&self, line: &str) -> Value {
        let ran = self.run(line);
        assert_eq!(ran.exit, 0, "{line}\n{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap_or(Value::Null)
    }

    /// Runs what must be refused, for people and for programs, and holds both to the house form.
    pub(crate) fn refused(&self, line: &str, exit: i32, code: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.exit, exit, "{line}\n{}", ran.stderr);
        let errors: Vec<&str> =
            ran.stderr.lines().skip_while(|said| !said.starts_with("error")).collect();
        assert_eq!(errors.len(), 2, "{line}\n{}", ran.stderr);
        assert!(errors[0].ends_with(&format!(" ({code})")), "{line}\n{}", ran.stderr);
        assert!(errors[1].starts_with("  try: "), "{line}\n{}", ran.stderr);

        let ran = self.run(&format!("{line} --json"));
        assert_eq!(ran.exit, exit, "{line} --json\n{}", ran.stderr);
        let json: Value = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{line} --json: {error}\n{}", ran.stdout));
        assert_eq!(json["error"]["code"], code, "{line}");
        assert_eq!(json["error"]["exit"], exit, "{line}");
        json["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Writes a request of a device that stands at no root and holds nothing; `change` makes it
    /// another.
    pub(crate) fn request(&self, name: &str, device: &str, change: impl FnOnce(&mut Request)) {
        let signer = self.signer(device);
        let mut request = Request {
            device_key: signer.public_key().clone(),
            fingerprint: Default::default(),
            salt: "00".repeat(16),
            tenant_id: TENANT.parse().unwrap(),
            nonce: "11".repeat(16),
            root: None,
            licenses: Vec::new(),
            usage: Vec::new(),
            wall: at(ISSUED_AT),
            mark: at(ISSUED_AT),
            release: None,
            remembered: Default::default(),
        };
        change(&mut request);
        self.write(name, [seal(&request, &signer).unwrap(), b"\n".to_vec()].concat());
    }

    /// How a request names a root.
    pub(crate) fn root_ref(&self, root: &str) -> RootRef {
        let claim = &self.done(&format!("inspect {root} --json"))["claims"][0];
        RootRef {
            version: Positive::new(claim["payload"]["version"].as_u64().unwrap()).unwrap(),
            sha256: claim["sha256"].as_str().unwrap().parse().unwrap(),
        }
    }

    /// Writes an audit export of this desk's device: records `from` to `to` of one chain.
    pub(crate) fn export(&self, name: &str, device: &str, from: u64, to: u64) {
        let signer = self.signer(device);
        let opening = Opening {
            device_key_id: signer.public_key().id(),
            epoch: Epoch::new([7; 16]),
            previous: Previous::NONE,
        };
        let tenant: TenantId = TENANT.parse().unwrap();
        let mut position = ChainPosition::start(&opening);
        let mut before = position;
        let mut records = Vec::new();
        for number in 1..=to {
            if number == from {
                before = position;
            }
            let id = format!("01939b6e-3c5f-7a31-8b53-0f6f1c2d{number:04x}");
            let event = format!(
                r#"{{"event_id":"{id}","tenant_id":"{TENANT}","actor_type":"user","actor_id":"ana","type":"login","timestamp":"{ISSUED_AT}","correlation_id":"c-{number}","payload":{{}}}}"#
            );
            let record = Record::append(
                &mut position,
                at(ISSUED_AT),
                tenant,
                Class::of("login"),
                [number as u8; 16],
                event.into_bytes(),
            );
            if number >= from {
                records.push(record);
            }
        }
        if from > to {
            before = position;
        }
        let standing = AgentStanding {
            runtime_id: None,
            lost: Default::default(),
            wall: at(ISSUED_AT),
            mark: at(ISSUED_AT),
            instance: [1; 16],
            root: None,
            revocations: Whole::MIN,
            licenses: Vec::new(),
        };
        let checkpoint =
            checkpoint(signer.public_key(), &opening, before, position, standing).unwrap();
        let mut out = Vec::new();
        let mut writer = ExportWriter::begin(&checkpoint, &signer, &mut out).unwrap();
        for record in &records {
            writer.record(&record.wire(Withhold::Nothing).unwrap(), &mut out).unwrap();
        }
        writer.finish().unwrap();
        self.write(name, out);
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The folder's files, so that a test can say that nothing was left behind.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
