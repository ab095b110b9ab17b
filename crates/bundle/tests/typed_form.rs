//! Typed form: one document as text for a QR code or a paste, back into its exact line.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use farhold_bundle::{Envelope, decode_typed_form, encode_typed_form, is_typed_form, plan_import};
use farhold_contract::Code;
use proptest::prelude::*;
use serde_json::json;
use support::*;

fn typed_form(line: &[u8]) -> String {
    encode_typed_form(&Envelope::open(line).unwrap()).unwrap()
}

fn refusal_of(text: &[u8]) -> Code {
    decode_typed_form(text).unwrap_err().code()
}

#[test]
fn every_document_of_one_signature_comes_back_as_its_line() {
    let vendor = Vendor::new(1);
    for line in [
        vendor.root_line(),
        vendor.license_line(1),
        vendor.revocations_line(1, &[license_id(1)]),
        vendor.receipt_line(&device()),
        vendor.clock_reset_line(&device(), NONCE),
        raw_line(farhold_bundle::DocumentType::Request, b"{}", &[device()]),
        raw_line(farhold_bundle::DocumentType::Checkpoint, b" {}", &[device()]),
        raw_line(farhold_bundle::DocumentType::Enroll, b"\0\xff", &[device()]),
        raw_line(farhold_bundle::DocumentType::Renew, b"{\n}", &[device()]),
    ] {
        assert_eq!(decode_typed_form(typed_form(&line).as_bytes()).unwrap(), line);
    }
}

#[test]
fn a_license_in_typed_form_is_imported_like_a_bundle() {
    let vendor = Vendor::new(1);
    let text = typed_form(&vendor.license_line(3));
    let plan = plan_import(&vendor.site(), text.as_bytes(), None, now()).unwrap();
    assert_eq!(serials(&plan.standing), [3]);
    let forged = typed_form(&Vendor::new(66).license_line(3));
    let refusal = plan_import(&vendor.site(), forged.as_bytes(), None, now()).unwrap_err();
    assert_eq!(refusal.code(), Code::SignatureKeyUnknown);
}

#[test]
fn it_fits_the_alphanumeric_set_of_a_qr_code_and_has_no_white_space() {
    let text = typed_form(&Vendor::new(1).license_line(1));
    assert!(
        text.bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"$%*+-./:".contains(&b))
    );
    // QR 25-M holds 1,451 of them.
    assert!(text.len() < 1451, "{}", text.len());
}

#[test]
fn white_space_comes_and_goes() {
    let line = Vendor::new(1).license_line(1);
    let text = typed_form(&line);
    let wrapped: String = text
        .as_bytes()
        .chunks(7)
        .map(|part| format!("{}\r\n\t ", String::from_utf8_lossy(part)))
        .collect();
    let in_its_name = [" F\n H1:", "F H1:", "FH 1:", "FH1 :", "F\r\nH\t1\n:"];
    let in_its_name = in_its_name.map(|name| text.replace("FH1:", name));
    let around = [wrapped, format!("\n\n {text}\n"), text.replace("FH1:", "FH1: ")];
    for pasted in around.into_iter().chain(in_its_name) {
        assert!(is_typed_form(pasted.as_bytes()));
        assert_eq!(decode_typed_form(pasted.as_bytes()).unwrap(), line);
    }
}

#[test]
fn only_a_text_that_begins_with_its_name_is_meant() {
    let text = typed_form(&Vendor::new(1).license_line(1));
    for other in [
        text.to_lowercase(),
        text.replacen("FH1", "FH2", 1),
        text[4..].to_owned(),
        format!("x{text}"),
    ] {
        assert!(!is_typed_form(other.as_bytes()));
        assert_eq!(refusal_of(other.as_bytes()), Code::TypedFormMalformed);
    }
}

#[test]
fn a_text_cut_anywhere_is_refused() {
    let vendor = Vendor::new(1);
    let text = typed_form(&vendor.license_line(1));
    for length in 0..text.len() {
        let cut = &text.as_bytes()[..length];
        assert!(plan_import(&vendor.site(), cut, None, now()).is_err(), "cut at {length}");
        // Between two groups it shows in the compressed part; within one, the cut group is another
        // byte, which may by chance end the stream. Then the signature shows it.
        if (length - 4.min(length)) % 3 == 0 {
            assert_eq!(refusal_of(cut), Code::TypedFormMalformed, "cut at {length}");
        }
    }
    for tail in ["0", "00", "000", "A", "$$"] {
        assert_eq!(refusal_of(format!("{text}{tail}").as_bytes()), Code::TypedFormMalformed);
    }
}

#[test]
fn one_mistyped_character_never_makes_another_document() {
    let vendor = Vendor::new(1);
    let line = vendor.license_line(1);
    let text = typed_form(&line);
    for at in 4..text.len() {
        let mut typed = text.clone().into_bytes();
        typed[at] = if typed[at] == b'7' { b'8' } else { b'7' };
        // The last bits of the compressed part may be padding that nothing reads.
        if decode_typed_form(&typed).is_ok_and(|again| again == line) {
            continue;
        }
        assert!(plan_import(&vendor.site(), &typed, None, now()).is_err(), "at {at}");
    }
}

#[test]
fn several_signatures_do_not_fit() {
    let line = Vendor::with_signers(1, farhold_bundle::Role::License, 2).license_line(1);
    let reason = encode_typed_form(&Envelope::open(&line).unwrap()).unwrap_err();
    assert_eq!(reason.code(), Code::TypedFormMalformed);
}

#[test]
fn a_small_text_never_inflates_beyond_the_limit() {
    let vendor = Vendor::new(1);
    let of_size = |bytes: usize| {
        let plain = vendor.license_json(1).to_string().len();
        let filler = "x".repeat(bytes - plain - r#","metadata":{"":""}"#.len());
        vendor.sign_license(&with(vendor.license_json(1), json!({ "metadata": { "": filler } })))
    };
    let limit = farhold_bundle::LIMITS.typed_form_bytes;
    let largest = of_size(limit);
    assert_eq!(payload_of(&largest).len(), limit);
    let text = typed_form(&largest);
    assert!(text.len() < 2000);
    assert_eq!(decode_typed_form(text.as_bytes()).unwrap(), largest);
    let larger = Envelope::open(&of_size(limit + 1)).unwrap();
    assert_eq!(encode_typed_form(&larger).unwrap_err().code(), Code::TypedFormMalformed);
    // A bomb: a megabyte of zeros, which deflate turns into a thousand bytes.
    let bomb = raw_text(2, &deflate(&vec![0; 1 << 20]));
    assert!(bomb.len() < 4000);
    assert_eq!(refusal_of(bomb.as_bytes()), Code::TypedFormMalformed);
    assert_eq!(refusal_of(&[b"FH1:", &vec![b'0'; 300_000][..]].concat()), Code::TypedFormMalformed);
}

#[test]
fn bytes_after_the_compressed_part_are_refused() {
    let mut deflated = deflate(b"{}");
    assert!(decode_typed_form(raw_text(2, &deflated).as_bytes()).is_ok());
    deflated.push(0);
    assert_eq!(refusal_of(raw_text(2, &deflated).as_bytes()), Code::TypedFormMalformed);
    assert_eq!(refusal_of(raw_text(2, b"").as_bytes()), Code::TypedFormMalformed);
    assert_eq!(refusal_of(raw_text(2, b"\xff\xff").as_bytes()), Code::TypedFormMalformed);
}

#[test]
fn an_empty_payload_is_refused() {
    let text = raw_text(2, &deflate(b""));
    let refusal = plan_import(&Vendor::new(1).site(), text.as_bytes(), None, now()).unwrap_err();
    assert_eq!(refusal.code(), Code::EnvelopeMalformed);
}

#[test]
fn an_unknown_type_byte_says_so() {
    for byte in [0, 10, 255] {
        assert_eq!(refusal_of(raw_text(byte, &deflate(b"{}")).as_bytes()), Code::PayloadType);
    }
}

/// A text by its parts, written after bundle.md §8: type, key id, signature, deflated payload.
fn raw_text(kind: u8, deflated: &[u8]) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:";
    let bytes = [&[kind][..], device().id().as_bytes(), &[1; 64], deflated].concat();
    let mut text = String::from("FH1:");
    for pair in bytes.chunks(2) {
        let mut number = pair.iter().fold(0_usize, |number, &byte| number << 8 | usize::from(byte));
        for _ in 0..=pair.len() {
            text.push(char::from(DIGITS[number % DIGITS.len()]));
            number /= DIGITS.len();
        }
    }
    text
}

fn deflate(payload: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(payload).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #[test]
    fn any_payload_comes_back(payload in proptest::collection::vec(any::<u8>(), 1..2000)) {
        let line = raw_line(farhold_bundle::DocumentType::License, &payload, &[device()]);
        prop_assert_eq!(decode_typed_form(typed_form(&line).as_bytes()).unwrap(), line);
    }

    #[test]
    fn reading_any_text_never_panics(text in "FH1:[0-9A-Z$%*+./: -]{0,300}") {
        let _ = decode_typed_form(text.as_bytes());
        let _ = plan_import(&Vendor::new(1).site(), text.as_bytes(), None, now());
    }
}
