//! Audit exports: a checkpoint, then its records; what was changed, left out or moved is seen.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use farhold_bundle::payload::DocumentType;
use farhold_contract::{Code, Timestamp};

use super::{
    case::Case,
    support::{Key, NONCE, TENANT_A, TENANT_B, Vendor, device, line, with},
    vector::Vector,
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = whole();
    vectors.extend(changed_lines());
    vectors.extend(changed_order());
    vectors.extend(files());
    vectors.extend(checkpoints());
    vectors
}

/// Records of one epoch, written after bundle.md §6.
struct Export {
    before: [u8; 32],
    first_seq: u64,
    head: [u8; 32],
    lines: Vec<String>,
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

fn epoch() -> [u8; 16] {
    hex::decode(NONCE).ok().and_then(|bytes| bytes.try_into().ok()).expect("16 bytes of hex")
}

/// §6.1: `open` of a device's first epoch.
fn open(device: &Key) -> [u8; 32] {
    let nothing = [0; 16 + 8 + 32];
    hash(&[b"farhold.epoch.v1\0", device.id().as_bytes(), &epoch(), &nothing])
}

impl Export {
    fn new() -> Self {
        let open = open(&device());
        Self { before: open, first_seq: 1, head: open, lines: Vec::new() }
    }

    /// Three records, of which one is tenant B's.
    fn of_three() -> Self {
        let mut export = Self::new();
        export.append(TENANT_A, "session", 3, "session.start");
        export.append(TENANT_B, "usage", 1, "feature.used");
        export.append(TENANT_A, "session", 3, "session.end");
        export
    }

    fn append(&mut self, tenant: &str, class: &str, class_byte: u8, kind: &str) {
        let seq = self.first_seq + self.lines.len() as u64;
        let recorded_at = "2027-03-01T08:00:00Z";
        let at_ms = recorded_at.parse::<Timestamp>().expect("the constant is a time").as_ms();
        let salt = [u8::try_from(seq).expect("there are few"); 16];
        let event = json!({
            "event_id": format!("01939b6e-0000-7000-8000-0000000004{seq:02x}"),
            "tenant_id": tenant, "actor_type": "runtime", "actor_id": "room 7", "type": kind,
            "timestamp": recorded_at, "correlation_id": "c-1", "payload": { "note": "a \"b\" é" },
        })
        .to_string();
        let event_hash = hash(&[b"farhold.event.v1\0", &salt, event.as_bytes()]);
        let tenant_id: farhold_contract::id::TenantId =
            tenant.parse().expect("the constant is an id");
        self.head = hash(&[
            b"farhold.record.v1\0",
            &self.head,
            &seq.to_be_bytes(),
            &at_ms.to_be_bytes(),
            tenant_id.as_bytes(),
            &[class_byte],
            &event_hash,
        ]);
        self.lines.push(format!(
            "{{\"seq\":{seq},\"recorded_at\":\"{recorded_at}\",\"tenant_id\":\"{tenant}\",\
             \"class\":\"{class}\",\"event_hash\":\"{}\",\"salt\":\"{}\",\"event\":{}}}",
            hex::encode(event_hash),
            hex::encode(salt),
            json!(event),
        ));
    }

    /// What is left when the first records have been exported before.
    fn without_first(mut self) -> Self {
        let mut first = Self::new();
        first.append(TENANT_A, "session", 3, "session.start");
        self.before = first.head;
        self.first_seq = 2;
        self.lines.remove(0);
        self
    }

    /// Leaves the second record's event out.
    fn withholding(mut self, why: &str) -> Self {
        let (link, _) = self.lines[1].split_once(",\"salt\"").expect("a record has a salt");
        self.lines[1] = format!("{link},\"withheld\":\"{why}\"}}");
        self
    }

    fn checkpoint(&self) -> Value {
        let records = self.lines.len() as u64;
        json!({
            "device_key": device().public(),
            "epoch": hex::encode(epoch()),
            "opened_after": { "epoch": "00".repeat(16), "seq": 0, "head": "00".repeat(32) },
            "from_seq": self.first_seq,
            "head_before": hex::encode(self.before),
            "to_seq": self.first_seq + records - 1,
            "head": hex::encode(self.head),
            "records": records,
            "lost": { "queue_full": 0 },
            "wall": "2027-03-02T00:00:00Z",
            "mark": "2027-03-02T00:00:00Z",
            "instance": "77".repeat(16),
            "revocations": 0,
            "licenses": [],
        })
    }

    fn bytes(&self) -> Vec<u8> {
        file(&self.checkpoint(), &device(), &self.lines)
    }

    fn ok(&self, withheld: u64) -> Value {
        let records = self.lines.len() as u64;
        json!({
            "records": records,
            "withheld": withheld,
            "to_seq": self.first_seq + records - 1,
            "head": hex::encode(self.head),
        })
    }
}

fn file(checkpoint: &Value, signer: &Key, lines: &[String]) -> Vec<u8> {
    let mut bytes = line(DocumentType::Checkpoint, checkpoint, std::slice::from_ref(signer));
    bytes.push(b'\n');
    for line in lines {
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

fn verify(title: &str, section: &str, bytes: &[u8]) -> Case {
    Case::export(title, section, bytes).with(|vector| {
        vector.device_key = Some(device().public().clone());
    })
}

fn whole() -> Vec<(&'static str, Vector)> {
    let export = Export::of_three();
    let second = Export::of_three().without_first();
    let withheld = Export::of_three().withholding("other_tenant");
    let erased = Export::of_three().withholding("erased");
    let empty = Export::new();
    vec![
        ("whole", verify("A whole export", "§6.5", &export.bytes()).taken(export.ok(0))),
        (
            "whole-by-its-own-word",
            Case::export("Without a key its lines belong together", "§6.5", &export.bytes())
                .taken(export.ok(0)),
        ),
        (
            "second-run",
            verify("A run that begins where another ended", "§6.5", &second.bytes())
                .taken(second.ok(0)),
        ),
        (
            "other-tenant-withheld",
            verify("The chain holds without another tenant's event", "§6.4", &withheld.bytes())
                .taken(withheld.ok(1)),
        ),
        (
            "event-erased",
            verify("The chain holds without an erased event", "§6.4", &erased.bytes())
                .taken(erased.ok(1)),
        ),
        ("empty-run", verify("A run without a record", "§6.6", &empty.bytes()).taken(empty.ok(0))),
    ]
}

/// An export of which one line was changed after it was made.
fn changed(title: &str, section: &str, at: usize, from: &str, to: &str) -> Vector {
    let mut export = Export::of_three();
    let checkpoint = export.checkpoint();
    assert!(export.lines[at].contains(from), "{from} is not in {}", export.lines[at]);
    export.lines[at] = export.lines[at].replacen(from, to, 1);
    verify(title, section, &file(&checkpoint, &device(), &export.lines)).refused(Code::ChainBroken)
}

fn changed_lines() -> Vec<(&'static str, Vector)> {
    vec![
        ("event-changed", changed("A word of an event", "§6.5", 1, "room 7", "room 8")),
        ("salt-changed", changed("A digit of a salt", "§6.5", 0, "0101", "0111")),
        (
            "time-changed",
            changed("A record's time", "§6.5", 0, "08:00:00Z\",\"tenant", "08:00:01Z\",\"tenant"),
        ),
        ("class-changed", changed("A record's class", "§6.5", 1, "\"usage\"", "\"product\"")),
        ("tenant-changed", changed("A record's tenant", "§6.5", 1, TENANT_B, TENANT_A)),
        (
            "event-hash-changed",
            changed("An event's hash", "§6.5", 2, "\"event_hash\":\"", "\"event_hash\":\"0"),
        ),
        ("white-space", changed("A blank that says nothing", "§6.4", 0, "\"seq\":1", "\"seq\": 1")),
        ("member-more", changed("A member more", "§6.4", 0, "{\"seq\"", "{\"by\":0,\"seq\"")),
        (
            "escape-for-nothing",
            changed("An escape that need not be", "§6.4", 0, "room", "\\u0072oom"),
        ),
        (
            "milliseconds-for-nothing",
            changed(
                "Milliseconds that are zero",
                "§6.4",
                0,
                "08:00:00Z\",\"tenant",
                "08:00:00.000Z\",\"tenant",
            ),
        ),
        ("crlf", changed("A line that ends in CRLF", "§6.4", 1, "\"}", "\"}\r")),
        ("class-unknown", changed("A class nobody has", "§6.3", 1, "\"usage\"", "\"other\"")),
        ("withheld-unknown", {
            let mut export = Export::of_three();
            let checkpoint = export.checkpoint();
            export = export.withholding("lost");
            verify("A reason nobody has", "§6.4", &file(&checkpoint, &device(), &export.lines))
                .refused(Code::ChainBroken)
        }),
    ]
}

fn changed_order() -> Vec<(&'static str, Vector)> {
    let of = |title, change: fn(&mut Vec<String>), code| {
        let export = Export::of_three();
        let mut lines = export.lines.clone();
        change(&mut lines);
        verify(title, "§6.5", &file(&export.checkpoint(), &device(), &lines)).refused(code)
    };
    vec![
        (
            "record-missing",
            of("A record missing between", |lines| drop(lines.remove(1)), Code::AuditGap),
        ),
        (
            "first-record-missing",
            of("A record missing before", |lines| drop(lines.remove(0)), Code::AuditGap),
        ),
        (
            "last-record-missing",
            of("A record missing at the end", |lines| drop(lines.pop()), Code::AuditGap),
        ),
        (
            "record-twice",
            of("A record twice", |lines| lines.insert(1, lines[0].clone()), Code::ChainBroken),
        ),
        ("records-swapped", of("Two records swapped", |lines| lines.swap(1, 2), Code::AuditGap)),
        (
            "record-more",
            of(
                "A record after the last",
                |lines| {
                    let mut longer = Export::of_three();
                    longer.append(TENANT_A, "product", 6, "course.completed");
                    lines.extend(longer.lines.pop());
                },
                Code::ChainBroken,
            ),
        ),
    ]
}

fn files() -> Vec<(&'static str, Vector)> {
    let bytes = Export::of_three().bytes();
    let cut = &bytes[..bytes.len() - 40];
    let without_line_feed = &bytes[..bytes.len() - 1];
    let first_line = bytes.iter().position(|&byte| byte == b'\n').expect("it has lines");
    let vendor = Vendor::new(1);
    vec![
        ("cut", verify("A file cut in its last line", "§6.5", cut).refused(Code::AuditGap)),
        (
            "no-line-feed",
            verify("The last line has its line feed too", "§6.5", without_line_feed)
                .refused(Code::AuditGap),
        ),
        (
            "cut-in-its-first-line",
            verify("A file cut in its first line", "§6.5", &bytes[..first_line])
                .refused(Code::EnvelopeMalformed),
        ),
        ("empty-file", verify("An empty file", "§6.5", b"").refused(Code::EnvelopeMalformed)),
        (
            "not-a-checkpoint",
            Case::export(
                "The first line is a checkpoint",
                "§6.5",
                &[&vendor.license_line(1)[..], b"\n"].concat(),
            )
            .refused(Code::PayloadType),
        ),
    ]
}

fn checkpoints() -> Vec<(&'static str, Vector)> {
    let export = Export::of_three();
    let checkpoint = |title, changes: Value, code| {
        let checkpoint = with(export.checkpoint(), changes);
        verify(title, "§6.5", &file(&checkpoint, &device(), &export.lines)).refused(code)
    };
    let stranger = Key::new(b"another device");
    let by_stranger = file(&export.checkpoint(), &stranger, &export.lines);
    let of_stranger = file(
        &with(export.checkpoint(), json!({ "device_key": stranger.public() })),
        &device(),
        &export.lines,
    );
    vec![
        (
            "head-changed",
            checkpoint(
                "The head that was signed",
                json!({ "head": "11".repeat(32) }),
                Code::ChainBroken,
            ),
        ),
        (
            "head-before-changed",
            checkpoint(
                "A first run begins where its epoch opens",
                json!({ "head_before": "11".repeat(32) }),
                Code::ChainBroken,
            ),
        ),
        (
            "epoch-changed",
            checkpoint(
                "Another epoch opens elsewhere",
                json!({ "epoch": "22".repeat(16) }),
                Code::ChainBroken,
            ),
        ),
        (
            "records-miscounted",
            checkpoint("Records are counted", json!({ "records": 4 }), Code::PayloadMalformed),
        ),
        (
            "signed-by-another-device",
            verify("A checkpoint by another key", "§6.5", &by_stranger)
                .refused(Code::SignatureKeyUnknown),
        ),
        (
            "signed-by-another-device-than-named",
            Case::export("A checkpoint is by the key that it names", "§6.5", &by_stranger)
                .refused(Code::SignatureKeyUnknown),
        ),
        (
            "names-another-device",
            verify("A checkpoint names the key that signed it", "§6.5", &of_stranger)
                .refused(Code::SignatureInvalid),
        ),
    ]
}
