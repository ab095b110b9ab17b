//! Signatures: every one known, of the right role, different, and holding; and enough.

use serde_json::{Value, json};

use farhold_bundle::{
    KeyId, Signer,
    payload::{DocumentType, Role},
};
use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE},
    scalar::plus_orders,
    support::{Key, NONCE, Vendor, device, key, line, line_of, payload_of, raw_line, with},
    vector::Vector,
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = counted();
    vectors.extend(held());
    vectors.extend(roles());
    vectors.extend(anchors());
    vectors
}

fn license_of(vendor: &Vendor, signatures: &[(KeyId, Vec<u8>)]) -> Vec<u8> {
    let payload = vendor.license_json(1).to_string();
    line_of(payload.as_bytes(), DocumentType::License.media_type(), signatures)
}

fn signatures(vendor: &Vendor, keys: &[&Key]) -> Vec<(KeyId, Vec<u8>)> {
    let payload = vendor.license_json(1).to_string();
    let media_type = DocumentType::License.media_type();
    let sign = |key: &&Key| (key.id(), key.sign_document(media_type, payload.as_bytes()).to_vec());
    keys.iter().map(sign).collect()
}

fn import(vendor: &Vendor, title: &str, section: &str, line: Vec<u8>) -> Case {
    Case::import(title, section, &[vendor.root_line()], &[line])
}

fn counted() -> Vec<(&'static str, Vector)> {
    let both = Vendor::with_signers(1, Role::License, 2);
    let mut any = Vendor::with_signers(1, Role::License, 2);
    any.license.threshold = 1;
    let [first, second] = both.license.keys.as_slice() else { unreachable!("two were made") };
    let by = |vendor: &Vendor, title, keys: &[&Key]| {
        import(vendor, title, "§1.4", license_of(vendor, &signatures(vendor, keys)))
    };
    let mut aliased = signatures(&both, &[first, first]);
    aliased[1].0 = second.id();
    let good = signatures(&any, &[first]);
    let mut broken = signatures(&any, &[first, second]);
    broken[1].1[7] ^= 4;
    let mut swapped = signatures(&both, &[first, second]);
    swapped[0].0 = second.id();
    swapped[1].0 = first.id();
    let of = |vendor: &Vendor, title, signatures: &[_]| {
        import(vendor, title, "§1.4", license_of(vendor, signatures))
    };
    vec![
        ("two-of-two", by(&both, "Two keys of two signed", &[first, second]).taken(ONE_LICENSE)),
        (
            "in-any-order",
            by(&both, "Signatures have no order", &[second, first]).taken(ONE_LICENSE),
        ),
        ("one-of-two-wanted", by(&any, "Either key is enough", &[second]).taken(ONE_LICENSE)),
        (
            "below-the-threshold",
            by(&both, "One key of two signed", &[first]).refused_at(1, Code::SignatureThreshold),
        ),
        (
            "one-key-twice",
            by(&both, "A key signs once", &[first, first]).refused_at(1, Code::SignatureInvalid),
        ),
        (
            "one-key-under-two-ids",
            of(&both, "A signature under the other key's id does not hold", &aliased)
                .refused_at(1, Code::SignatureInvalid),
        ),
        (
            "keyids-swapped",
            of(&both, "A keyid decides which key is asked", &swapped)
                .refused_at(1, Code::SignatureInvalid),
        ),
        (
            "keyid-of-nobody",
            of(
                &any,
                "A good signature under nobody's id",
                &[(KeyId::new([0; 32]), good[0].1.clone())],
            )
            .refused_at(1, Code::SignatureKeyUnknown),
        ),
        (
            "keyid-of-another-role",
            of(
                &any,
                "A good signature under the id of a kernel key",
                &[(any.kernel.keys[0].id(), good[0].1.clone())],
            )
            .refused_at(1, Code::SignatureWrongRole),
        ),
        (
            "surplus-and-broken",
            of(&any, "A surplus signature that does not hold refuses the line", &broken)
                .refused_at(1, Code::SignatureInvalid),
        ),
        (
            "surplus-and-unknown",
            by(&any, "A surplus signature by a stranger refuses the line", &[first, &device()])
                .refused_at(1, Code::SignatureKeyUnknown),
        ),
    ]
}

fn held() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let key = &vendor.license.keys[0];
    let good = signatures(&vendor, &[key]);
    let changed = |payload: &[u8]| line_of(payload, DocumentType::License.media_type(), &good);
    let swapped = vendor
        .license_json(1)
        .to_string()
        .replace("\"quota\":10", "\"quota\":0")
        .replace("\"quota\":7", "\"quota\":10")
        .replace("\"quota\":0", "\"quota\":7");
    let pretty = serde_json::to_vec_pretty(&vendor.license_json(1)).expect("JSON is JSON");
    let mut flipped = good.clone();
    flipped[0].1[0] ^= 1;
    let mut malleable = good.clone();
    let s = std::array::from_fn(|at| good[0].1[32 + at]);
    malleable[0].1[32..].copy_from_slice(&plus_orders(&s, 1));
    let zeros = [(key.id(), vec![0; 64])];
    // s = 0 and R = the neutral element: it holds for a key of small order, whatever is signed.
    let neutral = [(key.id(), [&[1][..], &[0; 63]].concat())];
    let raw =
        key.sign(vendor.license_json(1).to_string().as_bytes()).expect("a key in memory signs");
    let not_encoded = [(key.id(), raw.to_vec())];
    let reset = with(
        vendor.license_json(1),
        json!({
            "device_key": device().public(), "nonce": NONCE, "time": "2027-02-01T00:00:00Z",
        }),
    )
    .to_string();
    let moved = line_of(
        reset.as_bytes(),
        DocumentType::ClockReset.media_type(),
        &[(
            key.id(),
            key.sign_document(DocumentType::License.media_type(), reset.as_bytes()).to_vec(),
        )],
    );
    let invalid =
        |title, line| import(&vendor, title, "§1.4", line).refused_at(1, Code::SignatureInvalid);
    vec![
        (
            "payload-swapped-values",
            invalid("Two values swapped break it", changed(swapped.as_bytes())),
        ),
        ("payload-written-again", invalid("It covers the exact bytes", changed(&pretty))),
        ("bit-flipped", invalid("A flipped bit breaks it", license_of(&vendor, &flipped))),
        ("malleable", invalid("s is below the group's order", license_of(&vendor, &malleable))),
        ("all-zeros", invalid("Zeros are no signature", license_of(&vendor, &zeros))),
        ("neutral-element", invalid("R is not of small order", license_of(&vendor, &neutral))),
        (
            "bare-payload-signed",
            invalid(
                "It is over DSSE's encoding, not the payload",
                license_of(&vendor, &not_encoded),
            ),
        ),
        ("moved-to-another-type", invalid("It covers the type", moved)),
    ]
}

fn roles() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let content = |line: Vec<u8>| -> Value {
        serde_json::from_slice(&payload_of(&line)).expect("a document is JSON")
    };
    let wrong = |title, kind, content: &Value, role| {
        import(&vendor, title, "§1.5", line(kind, content, &vendor.group(role).keys))
            .refused_at(1, Code::SignatureWrongRole)
    };
    let license = vendor.license_json(1);
    let revocations = vendor.revocations_json(1, &[]);
    let receipt = content(vendor.receipt_line(&device()));
    let reset = content(vendor.clock_reset_line(&device(), NONCE));
    let thief = key(66, Role::License, 0);
    let with_key = with(license.clone(), json!({ "public_key": thief.public() }));
    use DocumentType::{ClockReset, License, Receipt, Revocations, Root};
    vec![
        ("license-by-root", wrong("A license by a root key", License, &license, Role::Root)),
        (
            "license-by-revocation",
            wrong("A license by a revocation key", License, &license, Role::Revocation),
        ),
        (
            "revocations-by-root",
            wrong("Revocations by a root key", Revocations, &revocations, Role::Root),
        ),
        ("receipt-by-root", wrong("A receipt by a root key", Receipt, &receipt, Role::Root)),
        (
            "clock-reset-by-revocation",
            wrong("A clock reset by a revocation key", ClockReset, &reset, Role::Revocation),
        ),
        ("license-by-kernel", wrong("A license by a kernel key", License, &license, Role::Kernel)),
        (
            "revocations-by-license",
            wrong("Revocations by a license key", Revocations, &revocations, Role::License),
        ),
        (
            "receipt-by-license",
            wrong("A receipt by a license key", Receipt, &receipt, Role::License),
        ),
        (
            "clock-reset-by-kernel",
            wrong("A clock reset by a kernel key", ClockReset, &reset, Role::Kernel),
        ),
        (
            "root-by-license",
            wrong("A root by a license key", Root, &vendor.next().root_json(), Role::License),
        ),
        (
            "license-by-device",
            import(
                &vendor,
                "A license by a device key",
                "§1.5",
                line(License, &license, &[device()]),
            )
            .refused_at(1, Code::SignatureKeyUnknown),
        ),
        (
            "license-brings-its-key",
            import(
                &vendor,
                "A key inside a license is nobody's",
                "§1.5",
                line(License, &with_key, &[thief]),
            )
            .refused_at(1, Code::SignatureKeyUnknown),
        ),
        (
            "ids-before-arithmetic",
            import(
                &vendor,
                "An unknown key is not asked, so that its signature is not looked at",
                "§1.5",
                license_of(&vendor, &[(device().id(), vec![0; 64])]),
            )
            .refused_at(1, Code::SignatureKeyUnknown),
        ),
    ]
}

fn anchors() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let root = vendor.root_json();
    let install = |title, section, content: &Value| {
        let line = raw_line(DocumentType::Root, content.to_string().as_bytes(), &vendor.root.keys);
        Case::install(title, section, &line).refused(Code::PayloadMalformed)
    };
    let with_key = |public_key: String| {
        let mut root = root.clone();
        root["keys"][1]["public_key"] = json!(public_key);
        root
    };
    let mut twice = root.clone();
    twice["roles"]["license"] = json!({ "key_ids": [vendor.license.keys[0].id(), vendor.license.keys[0].id()], "threshold": 2 });
    let listing = |key: Value| {
        let mut root = root.clone();
        root["keys"].as_array_mut().expect("a root has a list of keys").push(key);
        root
    };
    let listed_twice = listing(root["keys"][1].clone());
    let mut two_roles = root.clone();
    two_roles["roles"]["license"] = two_roles["roles"]["revocation"].clone();
    let idle = listing(json!({ "public_key": device().public() }));
    let mut unlisted = root.clone();
    unlisted["roles"]["license"]["key_ids"] = json!([device().id()]);
    let mut no_keys = root.clone();
    no_keys["roles"]["kernel"]["key_ids"] = json!([]);
    let mut unreachable = root.clone();
    unreachable["roles"]["license"]["threshold"] = json!(2);
    vec![
        (
            "anchor-of-small-order",
            install(
                "A key of small order is no anchor",
                "§1.6",
                &with_key(format!("01{}", "00".repeat(31))),
            ),
        ),
        (
            "anchor-with-a-second-spelling",
            // y = 3 + p, whose canonical spelling is y = 3: a second id for one key.
            install(
                "A key has one spelling",
                "§1.6",
                &with_key(format!("f0{}7f", "ff".repeat(30))),
            ),
        ),
        ("key-twice-in-a-role", install("A key is once in a role", "§2", &twice)),
        ("key-listed-twice", install("A key is listed once", "§2", &listed_twice)),
        ("key-in-two-roles", install("A key has one role", "§2", &two_roles)),
        ("key-without-a-role", install("A key has a role", "§2", &idle)),
        ("role-of-an-unlisted-key", install("A role's keys are listed", "§2", &unlisted)),
        ("role-without-a-key", install("A role has a key", "§2", &no_keys)),
        ("threshold-out-of-reach", install("A threshold can be met", "§2", &unreachable)),
    ]
}
