//! Who signed: every signature known, of the right role, different, and holding; and enough.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use ed25519_dalek::SigningKey;
use farhold_bundle::{
    Envelope, KeyId, PublicKey, RefusalReason, SignatureError, TrustRoot, add_signature,
    payload::{DocumentType, License, Role},
    verify_device_document,
};
use farhold_contract::Code;
use proptest::prelude::*;
use serde_json::json;
use support::*;

const ALL_ROLES: [Role; 4] = [Role::Root, Role::License, Role::Revocation, Role::Kernel];

fn signatures_of(kind: DocumentType, payload: &[u8], keys: &[&Key]) -> Vec<(KeyId, Vec<u8>)> {
    keys.iter()
        .map(|key| (key.id(), key.sign_document(kind.media_type(), payload).to_vec()))
        .collect()
}

/// A license line by any signatures.
fn license_line(vendor: &Vendor, signatures: &[(KeyId, Vec<u8>)]) -> Vec<u8> {
    let payload = vendor.license_json(1).to_string();
    line_of(payload.as_bytes(), DocumentType::License.media_type(), signatures)
}

fn license_signatures(vendor: &Vendor, keys: &[&Key]) -> Vec<(KeyId, Vec<u8>)> {
    signatures_of(DocumentType::License, vendor.license_json(1).to_string().as_bytes(), keys)
}

#[test]
fn a_surplus_signature_that_does_not_hold_refuses_the_line() {
    let mut vendor = Vendor::with_signers(1, Role::License, 2);
    vendor.license.threshold = 1;
    let [first, second] = vendor.license.keys.as_slice() else { panic!("two keys") };
    let mut signatures = license_signatures(&vendor, &[first, second]);
    import(&vendor.site(), &[license_line(&vendor, &signatures)]).unwrap();
    import(&vendor.site(), &[license_line(&vendor, &signatures[1..])]).unwrap();
    signatures[1].1[0] ^= 1;
    assert_eq!(
        refusal(&vendor.site(), &[license_line(&vendor, &signatures)]),
        Code::SignatureInvalid
    );
    signatures[1] = license_signatures(&vendor, &[&device()]).remove(0);
    assert_eq!(
        refusal(&vendor.site(), &[license_line(&vendor, &signatures)]),
        Code::SignatureKeyUnknown
    );
}

#[test]
fn one_key_meets_a_threshold_of_two_by_no_repetition() {
    let vendor = Vendor::with_signers(1, Role::License, 2);
    let [first, second] = vendor.license.keys.as_slice() else { panic!("two keys") };
    let code = |keys: &[&Key]| {
        refusal(&vendor.site(), &[license_line(&vendor, &license_signatures(&vendor, keys))])
    };
    assert_eq!(code(&[first]), Code::SignatureThreshold);
    assert_eq!(code(&[first, first]), Code::SignatureInvalid);
    assert_eq!(code(&[first, second, first]), Code::SignatureInvalid);
    // The same signature under the other key's id.
    let mut aliased = license_signatures(&vendor, &[first, first]);
    aliased[1].0 = second.id();
    assert_eq!(refusal(&vendor.site(), &[license_line(&vendor, &aliased)]), Code::SignatureInvalid);
    import(
        &vendor.site(),
        &[license_line(&vendor, &license_signatures(&vendor, &[second, first]))],
    )
    .unwrap();
}

#[test]
fn a_root_cannot_list_one_key_under_two_ids() {
    // Ids are computed from the key, so a second id needs a second spelling of the key: twice in
    // `keys`, twice in a role, or an encoding whose number is not below the field's prime.
    let vendor = Vendor::new(1);
    let key = vendor.license.keys[0].clone();
    let mut twice = vendor.root_json();
    twice["keys"].as_array_mut().unwrap().push(json!({ "public_key": key.public() }));
    let mut in_role = vendor.root_json();
    in_role["roles"]["license"] = json!({ "key_ids": [key.id(), key.id()], "threshold": 2 });
    for content in [twice, in_role] {
        let line = line(DocumentType::Root, &content, &vendor.root.keys);
        assert_eq!(install(&line), Code::PayloadMalformed);
    }
}

#[test]
fn a_public_key_has_one_spelling() {
    // y + p for each y that leaves room for it below 2^255, with either sign of x.
    for low in 0xed..=0xff_u8 {
        for sign in [0x7f, 0xff] {
            let mut raw = [0xff; 32];
            raw[0] = low;
            raw[31] = sign;
            assert!(PublicKey::from_bytes(&raw).is_err(), "{low:02x}…{sign:02x}");
        }
    }
    let text = device().public().to_string();
    assert_eq!(text.parse::<PublicKey>().as_ref(), Ok(device().public()));
    assert!(text.to_uppercase().parse::<PublicKey>().is_err());
}

#[test]
fn a_key_of_small_order_is_refused_as_trust_anchor() {
    let vendor = Vendor::new(1);
    let mut content = vendor.root_json();
    // The neutral element: every message has a signature that anyone can compute.
    content["keys"][1]["public_key"] = json!(format!("01{}", "00".repeat(31)));
    let line = line(DocumentType::Root, &content, &vendor.root.keys);
    assert_eq!(install(&line), Code::PayloadMalformed);
}

#[test]
fn a_signature_moved_to_another_type_of_document_does_not_hold() {
    let mut vendor = Vendor::new(1);
    let everything = with(
        with(vendor.license_json(1), vendor.revocations_json(1, &[])),
        json!({
            "licenses": [], "device_key": device().public(), "nonce": NONCE, "epoch": NONCE,
            "time": "2027-02-01T00:00:00Z", "seq": 1, "head": "11".repeat(32),
            "received_at": "2027-02-01T00:00:00Z", "generation": 1,
        }),
    )
    .to_string();
    // One key that is listed for the type the signature is moved to.
    for (from, to, role) in [
        (DocumentType::License, DocumentType::ClockReset, Role::License),
        (DocumentType::ClockReset, DocumentType::License, Role::License),
        (DocumentType::License, DocumentType::Revocations, Role::Revocation),
        (DocumentType::Revocations, DocumentType::Receipt, Role::Kernel),
    ] {
        let key = vendor.group_mut(role).keys[0].clone();
        let sig = key.sign_document(from.media_type(), everything.as_bytes()).to_vec();
        let moved = line_of(everything.as_bytes(), to.media_type(), &[(key.id(), sig)]);
        assert_eq!(refusal(&vendor.site(), &[moved]), Code::SignatureInvalid, "{from} to {to}");
        let honest = raw_line(to, everything.as_bytes(), &[key]);
        import(&vendor.site(), &[honest]).unwrap();
    }
}

#[test]
fn two_swapped_entitlement_values_break_the_signature() {
    let vendor = Vendor::new(1);
    let signatures = license_signatures(&vendor, &[&vendor.license.keys[0]]);
    let swapped = vendor
        .license_json(1)
        .to_string()
        .replace(r#""quota":10"#, r#""quota":0"#)
        .replace(r#""quota":7"#, r#""quota":10"#)
        .replace(r#""quota":0"#, r#""quota":7"#);
    let line = line_of(swapped.as_bytes(), DocumentType::License.media_type(), &signatures);
    assert_eq!(refusal(&vendor.site(), &[line]), Code::SignatureInvalid);
}

#[test]
fn a_payload_written_again_breaks_the_signature_though_it_says_the_same() {
    let vendor = Vendor::new(1);
    let signatures = license_signatures(&vendor, &[&vendor.license.keys[0]]);
    let pretty = serde_json::to_vec_pretty(&vendor.license_json(1)).unwrap();
    let line = line_of(&pretty, DocumentType::License.media_type(), &signatures);
    assert_eq!(refusal(&vendor.site(), &[line]), Code::SignatureInvalid);
}

#[test]
fn the_keyid_decides_which_key_is_asked() {
    let vendor = Vendor::with_signers(1, Role::License, 2);
    let [first, second] = vendor.license.keys.as_slice() else { panic!("two keys") };
    let mut signatures = license_signatures(&vendor, &[first, second]);
    let ids = [signatures[0].0, signatures[1].0];
    (signatures[0].0, signatures[1].0) = (ids[1], ids[0]);
    assert_eq!(
        refusal(&vendor.site(), &[license_line(&vendor, &signatures)]),
        Code::SignatureInvalid
    );
    signatures[0].0 = KeyId::new([0; 32]);
    assert_eq!(
        refusal(&vendor.site(), &[license_line(&vendor, &signatures)]),
        Code::SignatureKeyUnknown
    );
}

#[test]
fn a_public_key_inside_a_license_is_ignored() {
    let vendor = Vendor::new(1);
    let thief = key(66, Role::License, 0);
    let root_of_thief = Vendor::new(66).root_json();
    let content = with(
        vendor.license_json(1),
        json!({ "public_key": thief.public(), "keys": root_of_thief["keys"], "roles": root_of_thief["roles"] }),
    );
    let line = line(DocumentType::License, &content, &[thief]);
    assert_eq!(refusal(&vendor.site(), &[line]), Code::SignatureKeyUnknown);
}

#[test]
fn each_type_of_document_takes_the_keys_of_one_role_alone() {
    let vendor = Vendor::new(1);
    let json_of = |line: &[u8]| serde_json::from_slice(&payload_of(line)).unwrap();
    for (kind, content) in [
        (DocumentType::License, vendor.license_json(1)),
        (DocumentType::ClockReset, json_of(&vendor.clock_reset_line(&device(), NONCE))),
        (DocumentType::Revocations, vendor.revocations_json(1, &[])),
        (DocumentType::Receipt, json_of(&vendor.receipt_line(&device()))),
        (DocumentType::Root, vendor.next().root_json()),
    ] {
        for role in ALL_ROLES {
            let line = line(kind, &content, &vendor.group(role).keys);
            let result = import(&vendor.site(), &[line]);
            if role == kind.signed_by() {
                result.unwrap();
            } else {
                assert_eq!(refused(result).0, Code::SignatureWrongRole, "{kind} by {role}");
            }
        }
        let by_device = line(kind, &content, &[device()]);
        assert_eq!(refusal(&vendor.site(), &[by_device]), Code::SignatureKeyUnknown, "{kind}");
    }
}

#[test]
fn a_wrong_role_is_explained() {
    let vendor = Vendor::new(1);
    let line = line(DocumentType::License, &vendor.license_json(1), &vendor.kernel.keys);
    let refusal = import(&vendor.site(), &[line]).unwrap_err();
    let RefusalReason::Signature(SignatureError::WrongRole { key, actual, required, document }) =
        refusal.reason
    else {
        panic!("{refusal:?}")
    };
    assert_eq!(
        (key, actual, required, document),
        (vendor.kernel.keys[0].id(), Role::Kernel, Role::License, DocumentType::License)
    );
}

#[test]
fn a_license_by_a_revoked_key_is_refused_and_says_why() {
    let first = Vendor::new(1);
    let second = first.revoke(Role::License);
    let standing = after(&first.site(), &[second.root_line_after(&first)]);
    assert_eq!(refusal(&standing, &[first.license_line(1)]), Code::SignatureKeyRevoked);
    // A good signature beside it does not heal it.
    let both = [first.license.keys.clone(), second.license.keys.clone()].concat();
    let line = line(DocumentType::License, &first.license_json(1), &both);
    assert_eq!(refusal(&standing, &[line]), Code::SignatureKeyRevoked);
}

#[test]
fn a_key_has_one_role() {
    let vendor = Vendor::new(1);
    for other in [Role::Root, Role::Revocation, Role::Kernel] {
        let mut content = vendor.root_json();
        let shared = json!({ "key_ids": [vendor.group(other).keys[0].id()], "threshold": 1 });
        content["roles"]["license"] = shared;
        let line = line(DocumentType::Root, &content, &vendor.root.keys);
        assert_eq!(install(&line), Code::PayloadMalformed, "{other} and license");
    }
}

#[test]
fn a_key_without_a_role_and_a_role_without_its_key_refuse_the_root() {
    let vendor = Vendor::new(1);
    let mut idle = vendor.root_json();
    idle["keys"].as_array_mut().unwrap().push(json!({ "public_key": device().public() }));
    let mut missing = vendor.root_json();
    missing["keys"].as_array_mut().unwrap().pop();
    let mut empty = vendor.root_json();
    empty["roles"]["kernel"] = json!({ "key_ids": [], "threshold": 1 });
    let mut unreachable = vendor.root_json();
    unreachable["roles"]["license"]["threshold"] = json!(2);
    let mut zero = vendor.root_json();
    zero["roles"]["license"]["threshold"] = json!(0);
    for content in [idle, missing, empty, unreachable, zero] {
        let line = line(DocumentType::Root, &content, &vendor.root.keys);
        assert_eq!(install(&line), Code::PayloadMalformed);
    }
}

#[test]
fn a_document_of_a_device_is_by_that_key_alone() {
    let device = device();
    let content = json!({
        "runtime_id": "01939b6e-0000-7000-8000-000000000301", "csr": "MAA=", "nonce": NONCE,
        "wall": "2027-06-01T12:00:00Z",
    });
    let verify = |line: &[u8], key: &Key| {
        let envelope = Envelope::open(line).unwrap();
        verify_device_document::<farhold_bundle::payload::Renew>(envelope, key.public())
            .map(|_| ())
            .map_err(|reason| reason.code())
    };
    let by = |keys: &[Key]| line(DocumentType::Renew, &content, keys);
    let other = Key::new(b"another device");
    assert_eq!(verify(&by(std::slice::from_ref(&device)), &device), Ok(()));
    assert_eq!(verify(&by(std::slice::from_ref(&other)), &device), Err(Code::SignatureKeyUnknown));
    assert_eq!(
        verify(&by(&[device.clone(), other.clone()]), &device),
        Err(Code::SignatureKeyUnknown)
    );
    let license = Vendor::new(1).license_line(1);
    let as_renew = verify(&license, &Vendor::new(1).license.keys[0]);
    assert_eq!(as_renew, Err(Code::PayloadType));
}

#[test]
fn nobody_signs_twice() {
    let vendor = Vendor::new(1);
    let reason = add_signature(&vendor.license_line(1), &vendor.license.keys[0]).unwrap_err();
    assert!(matches!(
        reason,
        RefusalReason::Signature(SignatureError::DuplicateKey { key })
            if key == vendor.license.keys[0].id()
    ));
}

#[test]
fn a_verified_document_names_its_signers_and_its_hash() {
    let vendor = Vendor::with_signers(1, Role::License, 2);
    let root = TrustRoot::install(&vendor.root_line(), None).unwrap();
    let line = vendor.license_line(1);
    let license = root.verify::<License>(Envelope::open(&line).unwrap()).unwrap();
    assert!(
        license
            .signers()
            .iter()
            .eq(&std::collections::BTreeSet::from_iter(vendor.license.keys.iter().map(Key::id)))
    );
    assert_eq!(license.line(), line);
    use sha2::Digest;
    assert_eq!(license.sha256().as_bytes()[..], sha2::Sha256::digest(payload_of(&line))[..]);
}

#[test]
fn a_malleable_form_of_a_good_signature_is_refused() {
    // RFC 8032 §5.1.7: s must be below the group's order. Adding the order changes no equation.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let vendor = Vendor::new(1);
    let mut signatures = license_signatures(&vendor, &[&vendor.license.keys[0]]);
    let mut carry = 0;
    for (byte, order) in signatures[0].1[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert_eq!(
        refusal(&vendor.site(), &[license_line(&vendor, &signatures)]),
        Code::SignatureInvalid
    );
}

fn install(line: &[u8]) -> Code {
    TrustRoot::install(line, None).unwrap_err().code()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against a model: so many of a role's keys, in any order, with or without strangers.
    #[test]
    fn a_line_is_taken_exactly_if_enough_listed_keys_and_no_other_signed(
        threshold in 1_u8..=4,
        signers in proptest::sample::subsequence(vec![0_u8, 1, 2, 3, 50], 1..=5),
    ) {
        let mut vendor = Vendor::with_signers(1, Role::License, 4);
        vendor.license.threshold = u64::from(threshold);
        let keys: Vec<Key> = signers.iter().map(|&n| key(1, Role::License, n)).collect();
        let line = line(DocumentType::License, &vendor.license_json(1), &keys);
        let stranger = signers.contains(&50);
        let enough = signers.iter().filter(|&&n| n < 4).count() >= usize::from(threshold);
        prop_assert_eq!(import(&vendor.site(), &[line]).is_ok(), enough && !stranger);
    }

    #[test]
    fn a_signature_over_anything_else_does_not_hold(message in ".{0,200}", seed: [u8; 32]) {
        use ed25519_dalek::Signer;
        let vendor = Vendor::new(1);
        let id = vendor.license.keys[0].id();
        let by_other = SigningKey::from_bytes(&seed).sign(message.as_bytes()).to_vec();
        let line = license_line(&vendor, &[(id, by_other)]);
        prop_assert_eq!(refusal(&vendor.site(), &[line]), Code::SignatureInvalid);
        let by_key = farhold_bundle::Signer::sign(&vendor.license.keys[0], message.as_bytes()).unwrap();
        let line = license_line(&vendor, &[(id, by_key.to_vec())]);
        prop_assert_eq!(refusal(&vendor.site(), &[line]), Code::SignatureInvalid);
    }
}
