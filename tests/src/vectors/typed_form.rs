//! Typed form: text for a QR code or a paste, back into its exact line.

use std::io::Write;

use flate2::{Compression, write::DeflateEncoder};
use serde_json::json;

use farhold_bundle::payload::{DocumentType, Role};
use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE},
    support::{NONCE, Vendor, device, line, payload_of},
    vector::{Input, Vector},
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = documents();
    vectors.extend(imports());
    vectors.extend(texts());
    vectors.extend(parts());
    vectors
}

/// Writes typed form by its parts, after bundle.md §8.1.
fn text_of(kind: u8, key_id: &[u8], signature: &[u8], deflated: &[u8]) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:";
    let bytes = [&[kind], key_id, signature, deflated].concat();
    let mut text = String::from("FH1:");
    for pair in bytes.chunks(2) {
        let mut number = pair.iter().fold(0, |number, &byte| number << 8 | usize::from(byte));
        for _ in 0..=pair.len() {
            text.push(char::from(DIGITS[number % DIGITS.len()]));
            number /= DIGITS.len();
        }
    }
    text
}

fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(payload).expect("memory takes every write");
    encoder.finish().expect("memory takes every write")
}

/// A line of one signature in typed form.
fn text(kind: DocumentType, key: &super::support::Key, line: &[u8]) -> String {
    let payload = payload_of(line);
    let signature = key.sign_document(kind.media_type(), &payload);
    text_of(kind.typed_byte(), key.id().as_bytes(), &signature, &deflate(&payload))
}

fn license() -> (String, Vec<u8>) {
    let vendor = Vendor::new(1);
    let line = vendor.license_line(1);
    (text(DocumentType::License, &vendor.license.keys[0], &line), line)
}

fn read(title: &str, text: &str) -> Case {
    Case::typed_form(title, "§8.3", text.as_bytes())
}

fn back(line: &[u8]) -> serde_json::Value {
    json!({ "line": String::from_utf8_lossy(line) })
}

fn documents() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let device = device();
    let request =
        line(DocumentType::Request, &json!({ "nonce": NONCE }), std::slice::from_ref(&device));
    let of = |title, kind, key, line: &[u8]| read(title, &text(kind, key, line)).taken(back(line));
    let key = |role| &vendor.group(role).keys[0];
    vec![
        (
            "license",
            of("A license", DocumentType::License, key(Role::License), &vendor.license_line(1)),
        ),
        ("root", of("A root", DocumentType::Root, key(Role::Root), &vendor.root_line())),
        (
            "revocations",
            of(
                "Revocations",
                DocumentType::Revocations,
                key(Role::Revocation),
                &vendor.revocations_line(1, &[]),
            ),
        ),
        (
            "receipt",
            of(
                "A receipt",
                DocumentType::Receipt,
                key(Role::Kernel),
                &vendor.receipt_line(&device),
            ),
        ),
        (
            "clock-reset",
            of(
                "A clock reset",
                DocumentType::ClockReset,
                key(Role::License),
                &vendor.clock_reset_line(&device, NONCE),
            ),
        ),
        ("request", of("A request", DocumentType::Request, &device, &request)),
    ]
}

fn imports() -> Vec<(&'static str, Vector)> {
    let (text, _) = license();
    let thief = Vendor::new(66);
    let stolen = self::text(DocumentType::License, &thief.license.keys[0], &thief.license_line(1));
    let import = |title, text: String| {
        let standing = [Vendor::new(1).root_line()];
        Case::import_bytes(title, "§8.3", &standing, text.as_bytes())
    };
    vec![
        (
            "imported",
            import("Typed form is imported like a bundle", text.clone()).taken(ONE_LICENSE),
        ),
        (
            "imported-after-white-space",
            import("White space before it does no harm", format!("\n  {text}\n"))
                .taken(ONE_LICENSE),
        ),
        (
            "imported-with-white-space-in-its-name",
            import("White space in its name does no harm", text.replacen("FH1:", "F H\n1 :", 1))
                .taken(ONE_LICENSE),
        ),
        (
            "imported-from-a-stranger",
            import("It proves nothing by itself", stolen).refused_at(1, Code::SignatureKeyUnknown),
        ),
    ]
}

fn texts() -> Vec<(&'static str, Vector)> {
    let (text, line) = license();
    let wrapped = text.as_bytes().chunks(40).collect::<Vec<_>>().join(&b"\r\n\t "[..]);
    let malformed = |title, text: &str| read(title, text).refused(Code::TypedFormMalformed);
    let (head, tail) = text.split_at(100);
    let group = |group: &str| format!("{head}{group}{}", &tail[3..]);
    vec![
        (
            "wrapped",
            Case::typed_form("White space is dropped", "§8.3", &wrapped).taken(back(&line)),
        ),
        ("cut", malformed("A text cut between two groups", &text[..4 + 300])),
        ("cut-to-its-name", malformed("A text of nothing but its name", "FH1:")),
        ("empty", malformed("An empty text", "")),
        ("lower-case", malformed("Digits have one case", &text.to_lowercase())),
        (
            "another-version",
            malformed("A later version of the form", &text.replacen("FH1", "FH2", 1)),
        ),
        ("without-its-name", malformed("A text without its name", &text[4..])),
        ("foreign-character", malformed("A foreign character", &group("0_0"))),
        ("group-too-large", malformed("Three digits above 65,535", &group(":::"))),
        ("lone-digit", malformed("A lone last digit", &format!("{}0", &text[..4 + 300]))),
        (
            "text-too-long",
            read("A text beyond 256 KiB", "")
                .with(|vector| {
                    let times = (1 << 18) / text.len() + 1;
                    let (repeat, then) = (text.clone(), String::new());
                    vector.input = Input::Repeat { repeat, times, then };
                })
                .refused(Code::TypedFormMalformed),
        ),
    ]
}

fn parts() -> Vec<(&'static str, Vector)> {
    let of = |kind, deflated: &[u8]| text_of(kind, device().id().as_bytes(), &[1; 64], deflated);
    let mut trailing = deflate(b"{}");
    trailing.push(0);
    let inflated = |bytes: usize| deflate(" ".repeat(bytes).as_bytes());
    let malformed = |title, text: String| read(title, &text).refused(Code::TypedFormMalformed);
    let limit = farhold_bundle::LIMITS.typed_form_bytes;
    vec![
        (
            "type-unknown",
            read("A type byte nobody has", &of(10, &deflate(b"{}"))).refused(Code::PayloadType),
        ),
        (
            "type-zero",
            read("Types count from 1", &of(0, &deflate(b"{}"))).refused(Code::PayloadType),
        ),
        ("payload-missing", malformed("No compressed part", of(2, b""))),
        ("payload-damaged", malformed("A damaged compressed part", of(2, b"\xff\xff\xff"))),
        ("bytes-after-the-end", malformed("Bytes after the compressed part", of(2, &trailing))),
        ("inflates-beyond-64-kib", malformed("A byte beyond 64 KiB", of(2, &inflated(limit + 1)))),
        ("inflates-to-a-megabyte", malformed("A bomb", of(2, &inflated(1 << 20)))),
    ]
}
