//! A line has one shape; bytes that differ from it anywhere are no envelope.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use base64::{Engine, engine::general_purpose::STANDARD};
use farhold_bundle::{Envelope, EnvelopeError, LIMITS, plan_import};
use farhold_contract::Code;
use proptest::prelude::*;
use support::*;

fn license_line() -> Vec<u8> {
    Vendor::new(1).license_line(1)
}

/// The code with which a whole bundle is refused.
fn refusal_of_bytes(bytes: &[u8]) -> Code {
    refused(plan_import(&Vendor::new(1).site(), bytes, None, now())).0
}

fn replace(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(line).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn a_line_cut_at_any_byte_is_no_envelope() {
    let line = license_line();
    for length in 0..line.len() {
        let error = Envelope::open(&line[..length]).unwrap_err();
        assert_eq!(error.code(), Code::EnvelopeMalformed, "cut at {length}");
    }
}

#[test]
fn a_bundle_cut_at_any_byte_is_refused() {
    let vendor = Vendor::new(1);
    let license =
        with(vendor.license_json(1), serde_json::json!({ "needs": { "revocations": 1 } }));
    let lines = [vendor.sign_license(&license), vendor.revocations_line(1, &[])];
    let whole = bundle(&lines);
    let import = |bytes: &[u8]| plan_import(&vendor.site(), bytes, Some(&site_facts()), now());
    import(&whole).unwrap();
    for length in 0..whole.len() {
        let (code, _) = refused(import(&whole[..length]));
        let expected = match length {
            0 => Code::BundleMalformed,
            // Cut between two lines it is a smaller bundle, which is why licenses say what they need.
            _ if length == lines[0].len() + 1 => Code::BundleIncomplete,
            _ => Code::BundleMalformed,
        };
        assert_eq!(code, expected, "cut at {length}");
    }
}

#[test]
fn what_editors_and_mail_do_to_a_file_is_refused() {
    let line = license_line();
    let wrapped: Vec<u8> = line.chunks(76).collect::<Vec<_>>().join(&b"\r\n"[..]);
    let quoted = replace(&line, "=", "=3D");
    for (what, bytes, code) in [
        ("CRLF", [&line[..], b"\r\n"].concat(), Code::EnvelopeMalformed),
        ("CR alone", [&line[..], b"\r"].concat(), Code::BundleMalformed),
        ("TAB", [&line[..], b"\t\n"].concat(), Code::EnvelopeMalformed),
        ("BOM", [b"\xef\xbb\xbf", &line[..], b"\n"].concat(), Code::EnvelopeMalformed),
        ("trailing blank", [&line[..], b" \n"].concat(), Code::EnvelopeMalformed),
        ("leading blank", [b" ", &line[..], b"\n"].concat(), Code::EnvelopeMalformed),
        ("blank after the end", [&line[..], b"\n "].concat(), Code::BundleMalformed),
        ("empty last line", [&line[..], b"\n\n"].concat(), Code::BundleMalformed),
        ("empty first line", [b"\n", &line[..], b"\n"].concat(), Code::BundleMalformed),
        ("no line feed", line.clone(), Code::BundleMalformed),
        ("mail wraps", [&wrapped[..], b"\n"].concat(), Code::EnvelopeMalformed),
        ("quoted-printable", [&quoted[..], b"\n"].concat(), Code::EnvelopeMalformed),
        ("NUL padding", [&line[..], b"\n\0\0\0"].concat(), Code::BundleMalformed),
        ("UTF-16", line.iter().flat_map(|&b| [b, 0]).collect(), Code::BundleMalformed),
        ("nothing", Vec::new(), Code::BundleMalformed),
        ("HTML", b"<html>captive portal</html>\n".to_vec(), Code::EnvelopeMalformed),
    ] {
        assert_eq!(refusal_of_bytes(&bytes), code, "{what}");
    }
}

#[test]
fn another_spelling_of_the_same_json_is_refused() {
    let line = license_line();
    let text = String::from_utf8(line.clone()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let key_id = value["signatures"][0]["keyid"].as_str().unwrap();
    let sorted = format!(
        r#"{{"payload":"{}","signatures":{},"payloadType":{}}}"#,
        value["payload"].as_str().unwrap(),
        value["signatures"],
        value["payloadType"]
    );
    for (what, other) in [
        ("pretty-printed", serde_json::to_vec_pretty(&value).unwrap()),
        ("a blank after a colon", replace(&line, r#""payload":"#, r#""payload": "#)),
        ("members in another order", sorted.into_bytes()),
        ("an escaped slash", replace(&line, "application/", r"application\/")),
        ("a member more", replace(&line, r#"{"payload""#, r#"{"v":1,"payload""#)),
        ("a member more at the end", replace(&line, "]}", r#"],"v":1}"#)),
        ("a member more in a signature", replace(&line, r#""}]"#, r#"","alg":"none"}]"#)),
        ("a member twice", replace(&line, "]}", r#"],"payload":"e30="}"#)),
        ("upper-case keyid", replace(&line, key_id, &key_id.to_uppercase())),
        ("keyid in base64", replace(&line, key_id, &STANDARD.encode([7; 32]))),
        ("short keyid", replace(&line, key_id, &key_id[..62])),
        ("keyid missing", replace(&line, &format!(r#""keyid":"{key_id}","#), "")),
        ("keyid empty", replace(&line, key_id, "")),
        ("sig before keyid", replace(&line, r#"{"keyid":"#, r#"{"sig":"","keyid":"#)),
        ("a surplus comma", replace(&line, "}]", "},]")),
        ("two lines in one", [&line[..], &line[..]].concat()),
    ] {
        let error = Envelope::open(&other).unwrap_err();
        assert_eq!(error.code(), Code::EnvelopeMalformed, "{what}: {error}");
    }
}

#[test]
fn an_envelope_has_1_to_16_signatures() {
    let payload = payload_of(&license_line());
    let media_type = "application/vnd.farhold.license.v1+json";
    let signatures =
        |count: u8| (0..count).map(|n| (key(9, role(), n).id(), vec![n; 64])).collect::<Vec<_>>();
    assert!(Envelope::open(&line_of(&payload, media_type, &signatures(0))).is_err());
    for count in 1..=16 {
        let opened = Envelope::open(&line_of(&payload, media_type, &signatures(count))).unwrap();
        assert_eq!(opened.key_ids().len(), usize::from(count));
    }
    let error = Envelope::open(&line_of(&payload, media_type, &signatures(17))).unwrap_err();
    assert_eq!(error, EnvelopeError::TooManySignatures { limit: 16 });
    assert_eq!(error.code(), Code::EnvelopeMalformed);
}

fn role() -> farhold_bundle::Role {
    farhold_bundle::Role::License
}

#[test]
fn a_signature_of_any_other_length_is_refused_and_never_panics() {
    let payload = payload_of(&license_line());
    let media_type = "application/vnd.farhold.license.v1+json";
    for length in (0..=130).filter(|&length| length != 64) {
        let line = line_of(&payload, media_type, &[(device().id(), vec![1; length])]);
        let error = Envelope::open(&line).unwrap_err();
        assert_eq!(error.code(), Code::EnvelopeMalformed, "{length} bytes");
    }
}

#[test]
fn base64_has_one_spelling() {
    // Payloads of each length modulo 3, so that every kind of padding is met.
    for payload in
        [&br#"{"a":1}"#[..], br#"{"a":12}"#, br#"{"a":123}"#, b"\xff\xef\xbe\xfb\xff\xbe"]
    {
        let encoded = STANDARD.encode(payload);
        let line = line_of(
            payload,
            "application/vnd.farhold.license.v1+json",
            &[(device().id(), vec![0xfb; 64])],
        );
        Envelope::open(&line).unwrap();
        let unpadded = encoded.trim_end_matches('=');
        let mut others = vec![
            format!("{encoded}="),
            format!("{encoded}===="),
            format!("{encoded} "),
            format!(" {encoded}"),
            encoded.replace(['+', '/'], "-"),
            encoded.replacen(|c: char| c.is_ascii_alphanumeric(), "\\u0041", 1),
            format!("{}\n{}", &encoded[..4], &encoded[4..]),
        ];
        if unpadded != encoded {
            others.push(unpadded.into());
            others.push(next_spelling(&encoded));
        }
        for other in others.into_iter().filter(|other| *other != encoded) {
            let changed = replace(&line, &encoded, &other);
            assert!(Envelope::open(&changed).is_err(), "{other} for {encoded}");
        }
    }
    let line = line_of(
        b"{}",
        "application/vnd.farhold.license.v1+json",
        &[(device().id(), vec![0xfb; 64])],
    );
    for (from, to) in [("+/v7+/v7", "-_v7-_v7"), ("+w==", "+w"), ("+w==", "+w="), ("+w==", "+x==")]
    {
        let changed = replace(&line, from, to);
        assert_eq!(
            Envelope::open(&changed).unwrap_err(),
            EnvelopeError::Base64 { member: "signature" },
            "{to} for {from}"
        );
    }
}

/// The same bytes with a trailing bit set that lenient decoders drop.
fn next_spelling(encoded: &str) -> String {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = encoded.trim_end_matches('=');
    let (rest, last) = digits.split_at(digits.len() - 1);
    let at = DIGITS.find(last).unwrap();
    let padding = &encoded[digits.len()..];
    format!("{rest}{}{padding}", &DIGITS[at + 1..=at + 1])
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    // None of these would pass as anything: the code shows that only their size was looked at.
    let code = |bytes: Vec<u8>| refusal_of_bytes(&bytes);
    let line = vec![b'x'; LIMITS.envelope_bytes + 1];
    assert_eq!(Envelope::open(&line).unwrap_err().code(), Code::EnvelopeTooLarge);
    assert_eq!(Envelope::open(&line[1..]).unwrap_err().code(), Code::EnvelopeMalformed);
    assert_eq!(code([&line[..], b"\n"].concat()), Code::EnvelopeTooLarge);
    assert_eq!(code(vec![b'x'; LIMITS.bundle_bytes + 1]), Code::BundleTooLarge);
    assert_eq!(code(vec![b'x'; LIMITS.bundle_bytes]), Code::BundleMalformed);
    assert_eq!(code(b"x\n".repeat(257)), Code::BundleTooLarge);
    assert_eq!(code(b"x\n".repeat(256)), Code::EnvelopeMalformed);
}

#[test]
fn a_bundle_of_256_lines_is_taken_and_one_of_257_is_not() {
    let vendor = Vendor::new(1);
    let mut lines = vec![vendor.license_line(1); 256];
    let plan = import(&vendor.site(), &lines).unwrap();
    assert_eq!(plan.lines.len(), 256);
    assert_eq!(serials(&plan.standing), [1]);
    lines.push(vendor.license_line(1));
    assert_eq!(refusal(&vendor.site(), &lines), Code::BundleTooLarge);
}

#[test]
fn an_unknown_document_type_says_so() {
    let line = license_line();
    for other in [
        "application/vnd.farhold.license.v2+json",
        "application/vnd.farhold.License.v1+json",
        "application/vnd.farhold.license.v1+json ",
        "application/vnd.in-toto+json",
        "application/json",
        "\u{e9}",
    ] {
        let changed = replace(&line, "application/vnd.farhold.license.v1+json", other);
        assert_eq!(Envelope::open(&changed).unwrap_err().code(), Code::PayloadType, "{other}");
    }
}

#[test]
fn a_document_of_a_device_is_nothing_to_import() {
    let device = device();
    for kind in ["request", "checkpoint", "enroll", "renew"] {
        let media_type = format!("application/vnd.farhold.{kind}.v1+json");
        let sig = device.sign_document(&media_type, b"{}").to_vec();
        let line = line_of(b"{}", &media_type, &[(device.id(), sig)]);
        assert_eq!(refusal(&Vendor::new(1).site(), &[line]), Code::PayloadType, "{kind}");
    }
}

#[test]
fn the_protocols_own_example_is_signed_as_it_states_and_not_taken_for_ours() {
    // DSSE protocol.md, "Test Vectors": type, payload, and what is to be signed.
    let message = pae("http://example.com/HelloWorld", b"hello world");
    assert_eq!(message, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    // Its envelope has no keyid, which DSSE allows and the strict profile does not.
    let sig =
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==";
    let line = format!(
        r#"{{"payload":"aGVsbG8gd29ybGQ=","payloadType":"http://example.com/HelloWorld","signatures":[{{"sig":"{sig}"}}]}}"#
    );
    assert_eq!(Envelope::open(line.as_bytes()).unwrap_err().code(), Code::EnvelopeMalformed);
    let with_keyid =
        replace(line.as_bytes(), r#"{"sig""#, &format!(r#"{{"keyid":"{}","sig""#, device().id()));
    assert_eq!(Envelope::open(&with_keyid).unwrap_err().code(), Code::PayloadType);
}

#[test]
fn lengths_of_the_signed_encoding_are_bytes_not_characters() {
    let vendor = Vendor::new(1);
    let license =
        with(vendor.license_json(1), serde_json::json!({ "issued_to": "École d'été — 学校" }));
    import(&vendor.site(), &[vendor.sign_license(&license)]).unwrap();
}

proptest! {
    #[test]
    fn opening_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Envelope::open(&bytes);
        let _ = plan_import(&Vendor::new(1).site(), &bytes, None, now());
    }

    #[test]
    fn any_change_of_a_stretch_of_bytes_is_refused(
        start in 0_usize..1000,
        removed in 0_usize..40,
        inserted in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let vendor = Vendor::new(1);
        let whole = bundle(&[vendor.license_line(1)]);
        let start = start % whole.len();
        let end = (start + removed).min(whole.len());
        let changed = [&whole[..start], &inserted, &whole[end..]].concat();
        prop_assume!(changed != whole);
        prop_assert!(plan_import(&vendor.site(), &changed, None, now()).is_err());
    }
}
