//! Bytes: one shape for a line, one line feed after each, and limits before both.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use farhold_bundle::{
    LIMITS,
    payload::{DocumentType, Role},
};
use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE, Stands},
    support::{TENANT_A, Vendor, bundle, device, key, line, line_of, payload_of, raw_line, with},
    vector::{Input, Vector},
};

const LICENSE: &str = "application/vnd.farhold.license.v1+json";

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = lines_that_are_taken();
    vectors.extend(files());
    vectors.extend(spellings());
    vectors.extend(base64_spellings());
    vectors.extend(signature_members());
    vectors.extend(limits());
    vectors.extend(types());
    vectors
}

fn vendor() -> Vendor {
    Vendor::new(1)
}

fn import(title: &str, section: &str, bytes: &[u8]) -> Case {
    Case::import_bytes(title, section, &[vendor().root_line()], bytes)
}

/// A line changed in one place, and its line feed.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let line = String::from_utf8(vendor().license_line(1)).expect("a line is ASCII");
    assert!(line.contains(from), "{from} is not in {line}");
    [line.replacen(from, to, 1).as_bytes(), b"\n"].concat()
}

fn lines_that_are_taken() -> Vec<(&'static str, Vector)> {
    let vendor = vendor();
    let license = vendor.license_line(1);
    let text = with(vendor.license_json(1), json!({ "issued_to": "École d’été — 学校" }));
    let lines = [vendor.license_line(1), vendor.revocations_line(3, &[])];
    vec![
        (
            "one-license",
            import("One license, one line feed", "§1.2", &bundle(&[license])).taken(ONE_LICENSE),
        ),
        (
            "two-documents",
            import("A bundle is its documents, one a line", "§1.9", &bundle(&lines))
                .taken(Stands { outcomes: &["new", "new"], revocations: 3, ..ONE_LICENSE }),
        ),
        (
            "lengths-are-bytes",
            import(
                "The signed encoding counts bytes, not characters",
                "§1.3",
                &bundle(&[vendor.sign_license(&text)]),
            )
            .taken(ONE_LICENSE),
        ),
    ]
}

fn files() -> Vec<(&'static str, Vector)> {
    let line = vendor().license_line(1);
    let half = &line[..line.len() / 2];
    let wrapped = line.chunks(76).collect::<Vec<_>>().join(&b"\r\n"[..]);
    let malformed_file =
        |title, bytes: &[u8]| import(title, "§1.9", bytes).refused(Code::BundleMalformed);
    let malformed_line =
        |title, bytes: &[u8]| import(title, "§1.9", bytes).refused_at(1, Code::EnvelopeMalformed);
    vec![
        ("empty-file", malformed_file("An empty file is no bundle", b"")),
        ("truncated", malformed_file("A file cut within a line is no bundle", half)),
        ("no-line-feed", malformed_file("The last line has its line feed too", &line)),
        (
            "empty-line",
            malformed_file("An empty line refuses the bundle", &[&line[..], b"\n\n"].concat()),
        ),
        (
            "blank-after-the-end",
            malformed_file("Nothing comes after the last line feed", &[&line[..], b"\n "].concat()),
        ),
        (
            "truncated-line",
            malformed_line("A line cut short is no envelope", &[half, b"\n"].concat()),
        ),
        ("crlf", malformed_line("A line does not end in CRLF", &[&line[..], b"\r\n"].concat())),
        (
            "byte-order-mark",
            malformed_line(
                "A byte order mark is foreign",
                &[b"\xef\xbb\xbf", &line[..], b"\n"].concat(),
            ),
        ),
        (
            "trailing-blank",
            malformed_line("A blank after a line is foreign", &[&line[..], b" \n"].concat()),
        ),
        (
            "trailing-tab",
            malformed_line("A tabulator after a line is foreign", &[&line[..], b"\t\n"].concat()),
        ),
        (
            "mail-wraps",
            malformed_line("A line wrapped by mail is cut", &[&wrapped[..], b"\n"].concat()),
        ),
        (
            "captive-portal",
            malformed_line(
                "A page of HTML is no bundle",
                b"<!doctype html><title>Sign in</title>\n",
            ),
        ),
    ]
}

fn spellings() -> Vec<(&'static str, Vector)> {
    let line = vendor().license_line(1);
    let value: Value = serde_json::from_slice(&line).expect("a line is JSON");
    let reordered = format!(
        "{{\"payloadType\":{},\"payload\":{},\"signatures\":{}}}\n",
        value["payloadType"], value["payload"], value["signatures"]
    );
    let malformed =
        |title, bytes: &[u8]| import(title, "§1.2", bytes).refused_at(1, Code::EnvelopeMalformed);
    vec![
        (
            "white-space",
            malformed(
                "White space inside a line is foreign",
                &changed("\"payload\":", "\"payload\": "),
            ),
        ),
        ("members-reordered", malformed("Members have one order", reordered.as_bytes())),
        (
            "escaped-slash",
            malformed("No character is escaped", &changed("application/", "application\\/")),
        ),
        ("member-more", malformed("There is no other member", &changed("]}", "],\"version\":1}"))),
        (
            "member-twice",
            malformed("No member stands twice", &changed("]}", "],\"payload\":\"e30=\"}")),
        ),
        (
            "signature-member-more",
            malformed("A signature has no other member", &changed("\"}]", "\",\"alg\":\"none\"}]")),
        ),
        ("surplus-comma", malformed("No comma is surplus", &changed("}]}", "},]}"))),
    ]
}

fn base64_spellings() -> Vec<(&'static str, Vector)> {
    // This payload's base64 has a pad character, a + and a /: its member says what to look for.
    let content = with(vendor().license_json(1), json!({ "metadata": { "~~~": "???>>>" } }));
    let (content, encoded) = (0..3)
        .map(|blanks| {
            let payload = format!("{content}{}", " ".repeat(blanks));
            let encoded = STANDARD.encode(&payload);
            (payload, encoded)
        })
        .find(|(_, encoded)| encoded.ends_with("g=") || encoded.ends_with("A="))
        .expect("one of three lengths leaves a single pad character");
    let line = String::from_utf8(raw_line(
        DocumentType::License,
        content.as_bytes(),
        &vendor().license.keys,
    ))
    .expect("a line is ASCII");
    let with_payload = |other: &str| {
        assert_ne!(other, encoded);
        [line.replacen(&encoded, other, 1).as_bytes(), b"\n"].concat()
    };
    let malformed =
        |title, bytes: &[u8]| import(title, "§1.2", bytes).refused_at(1, Code::EnvelopeMalformed);
    let unpadded = encoded.trim_end_matches('=');
    vec![
        (
            "base64-canonical",
            import("Base64 with every foreign-looking character it has", "§1.2", &with_lf(&line))
                .taken(ONE_LICENSE),
        ),
        (
            "base64url",
            malformed(
                "The URL alphabet is foreign",
                &with_payload(&encoded.replace('+', "-").replace('/', "_")),
            ),
        ),
        ("padding-missing", malformed("Padding is required", &with_payload(unpadded))),
        (
            "padding-surplus",
            malformed("Padding is not repeated", &with_payload(&format!("{encoded}="))),
        ),
        (
            "trailing-bits",
            malformed("Unused bits are zero", &with_payload(&next_spelling(&encoded))),
        ),
        ("payload-empty", malformed("A payload is not empty", &with_payload(""))),
    ]
}

fn with_lf(line: &str) -> Vec<u8> {
    format!("{line}\n").into_bytes()
}

/// The same bytes with an unused bit set, which lenient decoders drop.
fn next_spelling(encoded: &str) -> String {
    let digits = encoded.trim_end_matches('=');
    let (rest, last) = digits.split_at(digits.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    format!("{rest}{next}{}", &encoded[digits.len()..])
}

fn signature_members() -> Vec<(&'static str, Vector)> {
    let vendor = vendor();
    let id = vendor.license.keys[0].id().to_string();
    let payload = payload_of(&vendor.license_line(1));
    let of_lengths = |lengths: &[usize]| {
        let signatures: Vec<_> = (0..)
            .zip(lengths)
            .map(|(n, &length)| (key(9, Role::License, n).id(), vec![n; length]))
            .collect();
        bundle(&[line_of(&payload, LICENSE, &signatures)])
    };
    let malformed =
        |title, bytes: &[u8]| import(title, "§1.2", bytes).refused_at(1, Code::EnvelopeMalformed);
    let sixteen = Vendor::with_signers(1, Role::License, 16);
    let signed_by_16 = sixteen.license_line(1);
    vec![
        (
            "keyid-upper-case",
            malformed("A keyid is lower-case hex", &changed(&id, &id.to_uppercase())),
        ),
        ("keyid-short", malformed("A keyid is 64 digits", &changed(&id, &id[2..]))),
        (
            "keyid-missing",
            malformed("A keyid is required", &changed(&format!("\"keyid\":\"{id}\","), "")),
        ),
        ("no-signature", malformed("A line has a signature", &of_lengths(&[]))),
        ("signature-short", malformed("A signature is 64 bytes, not 63", &of_lengths(&[63]))),
        ("signature-long", malformed("A signature is 64 bytes, not 65", &of_lengths(&[65]))),
        ("signature-empty", malformed("A signature is not empty", &of_lengths(&[0]))),
        (
            "signatures-16",
            Case::import(
                "A line has up to 16 signatures",
                "§1.1",
                &[sixteen.root_line()],
                &[signed_by_16],
            )
            .taken(ONE_LICENSE),
        ),
        (
            "signatures-17",
            import("A line has no 17th signature", "§1.1", &of_lengths(&[64; 17]))
                .refused_at(1, Code::EnvelopeMalformed),
        ),
    ]
}

fn limits() -> Vec<(&'static str, Vector)> {
    let repeat = |title, repeat: &str, times, then: &str| {
        let (repeat, then) = (repeat.to_owned(), then.to_owned());
        import(title, "§1.1", b"")
            .with(|vector| vector.input = Input::Repeat { repeat, times, then })
    };
    let line = String::from_utf8(bundle(&[vendor().license_line(1)])).expect("a line is ASCII");
    let outcomes = [&["new"][..], &["known"; 255]].concat();
    let lines_256 = json!({
        "outcomes": outcomes,
        "fallen": 0, "root": 1, "revocations": 0, "serials": [1], "receipts": 0,
        "clock_reset": null,
    });
    vec![
        (
            "line-too-large",
            repeat(
                "A line beyond 4 MiB is refused before it is read",
                "x",
                LIMITS.envelope_bytes + 1,
                "\n",
            )
            .refused_at(1, Code::EnvelopeTooLarge),
        ),
        (
            "bundle-too-large",
            repeat(
                "A bundle beyond 16 MiB is refused before it is read",
                "x",
                LIMITS.bundle_bytes + 1,
                "",
            )
            .refused(Code::BundleTooLarge),
        ),
        ("lines-256", repeat("256 lines are read", &line, 256, "").taken(lines_256)),
        (
            "lines-257",
            repeat("257 lines are refused before one is read", "x\n", 257, "")
                .refused(Code::BundleTooLarge),
        ),
    ]
}

fn types() -> Vec<(&'static str, Vector)> {
    let unknown = |title, media_type: &str| {
        import(title, "§1.3", &changed(LICENSE, media_type)).refused_at(1, Code::PayloadType)
    };
    let request = line(DocumentType::Request, &json!({ "tenant_id": TENANT_A }), &[device()]);
    let example = line_of(
        b"hello world",
        "http://example.com/HelloWorld",
        &[(
            device().id(),
            device().sign_document("http://example.com/HelloWorld", b"hello world").into(),
        )],
    );
    vec![
        (
            "type-of-a-later-version",
            unknown(
                "A type's version is part of its name",
                "application/vnd.farhold.license.v2+json",
            ),
        ),
        (
            "type-of-others",
            unknown("A type of another project is not ours", "application/vnd.in-toto+json"),
        ),
        (
            "type-in-other-case",
            unknown("A type has one case", "application/vnd.farhold.License.v1+json"),
        ),
        (
            "dsse-example",
            import(
                "The example of DSSE's own protocol is no document",
                "§1.3",
                &bundle(&[example]),
            )
            .refused_at(1, Code::PayloadType),
        ),
        (
            "device-document",
            import("What a device signs is nothing to import", "§3.5", &bundle(&[request]))
                .refused_at(1, Code::PayloadType),
        ),
    ]
}
