//! Payloads: proven bytes that do not say what their type says, and what of them is ignored.

use serde_json::{Value, json};

use farhold_bundle::payload::DocumentType;
use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE, ONE_NEW, Stands},
    support::{
        LAST_NUMBER, TENANT_A, Vendor, device, license_id, line, payload_of, raw_line, with,
    },
    vector::Vector,
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = json_walk();
    vectors.extend(members());
    vectors.extend(numbers());
    vectors.extend(times());
    vectors.extend(license_rules());
    vectors.extend(lists());
    vectors
}

fn vendor() -> Vendor {
    Vendor::new(1)
}

fn import(title: &str, section: &str, line: Vec<u8>) -> Case {
    Case::import(title, section, &[vendor().root_line()], &[line])
}

/// A license with some members changed.
fn license(title: &str, section: &str, changes: Value) -> Case {
    import(title, section, vendor().sign_license(&with(vendor().license_json(1), changes)))
}

/// A license without an end, with some members changed.
fn endless(title: &str, section: &str, changes: Value) -> Case {
    let mut plain = with(vendor().license_json(1), changes);
    plain.as_object_mut().map(|members| members.remove("expires_on"));
    import(title, section, vendor().sign_license(&plain))
}

fn malformed(title: &str, section: &str, changes: Value) -> Vector {
    license(title, section, changes).refused_at(1, Code::PayloadMalformed)
}

/// A license of any text.
fn license_text(title: &str, section: &str, payload: &[u8]) -> Vector {
    import(title, section, raw_line(DocumentType::License, payload, &vendor().license.keys))
        .refused_at(1, Code::PayloadMalformed)
}

fn replaced(from: &str, to: &str) -> Vec<u8> {
    let plain = vendor().license_json(1).to_string();
    assert!(plain.contains(from), "{from} is not in {plain}");
    plain.replacen(from, to, 1).into_bytes()
}

fn json_walk() -> Vec<(&'static str, Vector)> {
    let plain = vendor().license_json(1).to_string();
    // The payload's object is the first level, `later` the second.
    let nested = |depth: usize| {
        let text = "[".repeat(depth) + &"]".repeat(depth);
        json!({ "later": serde_json::from_str::<Value>(&text).expect("brackets are JSON") })
    };
    let mut latin1 = plain.replace("Example School", "Caf\u{1}").into_bytes();
    latin1.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xe9);
    vec![
        (
            "member-twice",
            license_text(
                "A known member twice refuses the document",
                "§1.6",
                &replaced("\"serial\":1", "\"serial\":1,\"serial\":1"),
            ),
        ),
        (
            "unknown-member-twice",
            license_text(
                "An unknown member twice refuses the document",
                "§1.6",
                &replaced("\"serial\":1", "\"later\":1,\"serial\":1,\"later\":2"),
            ),
        ),
        (
            "member-twice-by-escape",
            license_text(
                "A member is the same however it is escaped",
                "§1.6",
                &replaced("{\"quota\":10}", "{\"quota\":10,\"\\u0071uota\":99}"),
            ),
        ),
        (
            "member-twice-in-depth",
            license_text(
                "A member twice is seen at any depth",
                "§1.6",
                &replaced("\"serial\":1", "\"serial\":1,\"metadata\":{\"a\":[{\"b\":1,\"b\":2}]}"),
            ),
        ),
        (
            "null-member",
            malformed("A quota of null is not no quota", "§1.6", json!({ "time_zone": null })),
        ),
        (
            "null-in-depth",
            malformed(
                "What is not there is left out, at any depth",
                "§1.6",
                json!({ "metadata": { "a": [null] } }),
            ),
        ),
        ("depth-16", license("Sixteen levels are read", "§1.1", nested(15)).taken(ONE_LICENSE)),
        ("depth-17", malformed("Seventeen levels are not", "§1.1", nested(16))),
        (
            "two-values",
            license_text("A payload is one value", "§1.6", format!("{plain} {{}}").as_bytes()),
        ),
        ("not-an-object", license_text("A payload is an object", "§1.6", b"[]")),
        ("not-json", license_text("A payload is JSON", "§1.6", b"serial = 1")),
        ("not-utf-8", license_text("A payload is UTF-8", "§1.6", &latin1)),
    ]
}

fn members() -> Vec<(&'static str, Vector)> {
    let vendor = vendor();
    let critical = json!({ "critical": [{ "name": "seat-leases", "since": "0.4.0" }] });
    let unreadable = json!({ "critical": ["seat-leases"] });
    let receipt: Value = serde_json::from_slice(&payload_of(&vendor.receipt_line(&device())))
        .expect("a receipt is JSON");
    let of_receipt = |changes: Value| {
        line(DocumentType::Receipt, &with(receipt.clone(), changes), &vendor.kernel.keys)
    };
    vec![
        (
            "unknown-member",
            license(
                "An unknown member is ignored",
                "§1.8",
                json!({ "later": { "anything": [1, false, "x", 0.5, -3] } }),
            )
            .taken(ONE_LICENSE),
        ),
        (
            "critical-unknown",
            license("An unknown critical name refuses the document", "§1.7", critical.clone())
                .refused_at(1, Code::PayloadCritical),
        ),
        (
            "critical-before-the-type",
            license(
                "Critical names come before the typed reading",
                "§1.7",
                with(critical.clone(), json!({ "entitlements": "by seat" })),
            )
            .refused_at(1, Code::PayloadCritical),
        ),
        (
            "critical-empty",
            license(
                "An empty list of critical names asks for nothing",
                "§1.7",
                json!({ "critical": [] }),
            )
            .taken(ONE_LICENSE),
        ),
        (
            "critical-in-a-receipt",
            import("Critical names bind in every type", "§1.7", of_receipt(critical))
                .refused_at(1, Code::PayloadCritical),
        ),
        (
            "critical-unreadable",
            import(
                "A list of critical names that can't be read is not an empty one",
                "§1.7",
                of_receipt(unreadable),
            )
            .refused_at(1, Code::PayloadMalformed),
        ),
        (
            "member-missing",
            license_text("A required member is required", "§1.8", &replaced("\"serial\":1,", "")),
        ),
        (
            "member-of-another-type",
            malformed("A member has its type", "§1.8", json!({ "serial": "1" })),
        ),
        (
            "id-not-version-7",
            malformed(
                "An identifier is a UUIDv7",
                "§1.8",
                json!({ "license_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479" }),
            ),
        ),
        (
            "id-upper-case",
            malformed(
                "An identifier has one spelling",
                "§1.8",
                json!({ "license_id": license_id(0xab).to_uppercase() }),
            ),
        ),
        (
            "name-with-a-blank",
            malformed("A name has no blank", "§1.8", json!({ "product": "two words" })),
        ),
        (
            "text-with-a-control-character",
            malformed("A text has no control character", "§1.8", json!({ "issued_to": "a\u{7}b" })),
        ),
    ]
}

fn numbers() -> Vec<(&'static str, Vector)> {
    let quota =
        |n: Value| json!({ "entitlements": [{ "feature": "f", "limits": { "quota": n } }] });
    let serial = |text: &str| replaced("\"serial\":1", &format!("\"serial\":{text}"));
    vec![
        ("number-0", malformed("A quota is at least 1", "§1.8", quota(json!(0)))),
        ("number-negative", malformed("A quota is not negative", "§1.8", quota(json!(-1)))),
        ("number-fraction", malformed("A quota is whole", "§1.8", quota(json!(1.5)))),
        (
            "number-with-a-point",
            license_text("A whole number has no point", "§1.8", &serial("1.0")),
        ),
        (
            "number-with-an-exponent",
            license_text("A whole number has no exponent", "§1.8", &serial("1e3")),
        ),
        (
            "number-2-53-minus-1",
            license("The last number is 2^53 - 1", "§1.8", quota(json!(LAST_NUMBER)))
                .taken(ONE_LICENSE),
        ),
        ("number-2-53", malformed("2^53 is no number", "§1.8", quota(json!(LAST_NUMBER + 1)))),
        (
            "number-2-53-unread",
            malformed(
                "A number beyond 2^53 - 1 is refused also where nobody reads it",
                "§1.6",
                json!({ "later": [{ "n": -9_007_199_254_740_992_i64 }] }),
            ),
        ),
        (
            "number-huge-unread",
            malformed(
                "A float beyond 2^53 - 1 is refused also where nobody reads it",
                "§1.6",
                json!({ "metadata": { "n": 1e300 } }),
            ),
        ),
    ]
}

fn times() -> Vec<(&'static str, Vector)> {
    let begins = |instant: &str| json!({ "not_before": instant });
    let ends = |day: &str| json!({ "expires_on": day });
    vec![
        (
            "first-and-last-year",
            license(
                "The years are 0001 to 9999",
                "§1.8",
                json!({
                    "issued_at": "0001-01-01T00:00:00Z", "not_before": "0001-01-01T00:00:00Z",
                    "expires_on": "9999-12-31",
                }),
            )
            .taken(ONE_LICENSE),
        ),
        ("year-0000", malformed("There is no year 0", "§1.8", ends("0000-12-31"))),
        ("year-10000", malformed("There is no year 10000", "§1.8", ends("10000-01-01"))),
        ("day-that-never-was", malformed("A date is of the calendar", "§1.8", ends("2027-02-29"))),
        (
            "time-with-an-offset",
            malformed(
                "A time is in UTC and ends in Z",
                "§1.8",
                begins("2027-01-02T00:00:00+00:00"),
            ),
        ),
        (
            "time-without-a-zone",
            malformed("A time without a zone is none", "§1.8", begins("2027-01-02T00:00:00")),
        ),
        (
            "time-with-a-leap-second",
            malformed("There are no leap seconds", "§1.8", begins("2027-01-02T23:59:60Z")),
        ),
        (
            "time-as-a-number",
            malformed("A time is not a number", "§1.8", json!({ "not_before": 1_798_848_000 })),
        ),
        (
            "ends-before-it-begins",
            malformed("A license ends after it begins", "§4.1", ends("2026-12-31")),
        ),
        (
            "zone-unknown",
            malformed(
                "A zone is of the IANA database",
                "§4.1",
                json!({ "time_zone": "Mars/Olympus" }),
            ),
        ),
        (
            "zone-of-no-place",
            malformed("A zone is a place's", "§4.1", json!({ "time_zone": "Factory" })),
        ),
        (
            "zone-that-nobody-knows",
            malformed("A zone is a known one", "§4.1", json!({ "time_zone": "Etc/Unknown" })),
        ),
    ]
}

fn license_rules() -> Vec<(&'static str, Vector)> {
    let cards = |count: usize| {
        let components: serde_json::Map<String, Value> = (0..count)
            .map(|card| (format!("nic.e{card}"), Value::from(format!("{card:016x}"))))
            .collect();
        json!({ "binding": { "fingerprint": { "components": components, "require": 3 } } })
    };
    let grants = |entitlement: Value| json!({ "entitlements": [entitlement] });
    let fingerprint = |require: u64| {
        json!({ "binding": { "fingerprint": {
            "components": { "disk": "0011223344556677", "board": "8899aabbccddeeff" },
            "require": require,
        } } })
    };
    vec![
        (
            "feature-twice",
            malformed(
                "A feature is granted once for each scope",
                "§4.1",
                json!({ "entitlements": [
                    { "feature": "f", "limits": { "quota": 1 } },
                    { "feature": "f", "limits": { "quota": 2 } },
                ] }),
            ),
        ),
        (
            "feature-for-two-scopes",
            license(
                "A feature is granted to two scopes by two entitlements",
                "§4.1",
                json!({ "entitlements": [
                    { "feature": "f", "runtime_type": "labs" },
                    { "feature": "f", "runtime_type": "courses" },
                    { "feature": "f" },
                ] }),
            )
            .taken(ONE_LICENSE),
        ),
        (
            "two-scopes-in-one",
            malformed(
                "An entitlement names a type or a runtime, not both",
                "§4.1",
                grants(json!({
                    "feature": "f", "runtime_type": "labs",
                    "runtime_id": "01939b6e-0000-7000-8000-000000000301",
                })),
            ),
        ),
        (
            "window-without-a-quota",
            malformed(
                "A window needs a quota",
                "§4.1",
                grants(json!({ "feature": "f", "limits": { "time_window": "P1M" } })),
            ),
        ),
        (
            "window-in-lower-case",
            malformed(
                "A period has one spelling",
                "§1.8",
                grants(json!({ "feature": "f", "limits": { "quota": 1, "time_window": "p1m" } })),
            ),
        ),
        (
            "entitlement-outlives-its-license",
            malformed(
                "An entitlement ends no later than its license",
                "§4.1",
                grants(json!({ "feature": "f", "valid_until": "2028-02-01T12:00:00.001Z" })),
            ),
        ),
        (
            "entitlement-ends-with-its-license",
            license(
                "Without a zone the last day ends in UTC-12",
                "§4.1",
                grants(json!({ "feature": "f", "valid_until": "2028-02-01T12:00:00Z" })),
            )
            .taken(ONE_LICENSE),
        ),
        (
            "no-end",
            endless("A license without an end says which releases it covers", "§4.1", json!({}))
                .refused_at(1, Code::PayloadMalformed),
        ),
        (
            "no-end-but-releases",
            endless(
                "A license for releases needs no end",
                "§4.8",
                json!({ "released_before": "2028-01-01" }),
            )
            .taken(ONE_LICENSE),
        ),
        (
            "detached-without-a-binding",
            malformed(
                "A detached license says which machine it is for",
                "§4.1",
                json!({ "modes": ["detached"] }),
            ),
        ),
        (
            "detached-and-unbound",
            license(
                "A detached license for any machine says so",
                "§4.1",
                json!({ "modes": ["detached"], "binding": "none" }),
            )
            .taken(ONE_LICENSE),
        ),
        ("no-mode", malformed("A license has a mode", "§4.1", json!({ "modes": [] }))),
        (
            "fingerprint-that-can-hold",
            license("A fingerprint requires at most all it has", "§4.1", fingerprint(2))
                .taken(ONE_LICENSE),
        ),
        (
            "fingerprint-that-can-never-hold",
            malformed("A fingerprint requires no more than it has", "§4.1", fingerprint(3)),
        ),
        (
            "fingerprint-of-64-components",
            license("A fingerprint has up to 64 components", "§4.1", cards(64)).taken(ONE_LICENSE),
        ),
        (
            "fingerprint-of-65-components",
            malformed("A fingerprint has at most 64 components", "§4.1", cards(65)),
        ),
        (
            "flag-twice",
            malformed(
                "A flag is set once",
                "§4.1",
                json!({ "flags": [{ "key": "a", "value": true }, { "key": "a", "value": false }] }),
            ),
        ),
        (
            "redaction-outside-the-payload",
            malformed(
                "Redaction reaches only below /payload",
                "§4.1",
                json!({ "audit": { "redact": ["/type"] } }),
            ),
        ),
    ]
}

fn lists() -> Vec<(&'static str, Vector)> {
    let vendor = vendor();
    let list = |changes: Value| {
        let content = with(vendor.revocations_json(1, &[]), changes);
        line(DocumentType::Revocations, &content, &vendor.revocation.keys)
    };
    let below =
        |serial: u64| json!({ "tenant_id": TENANT_A, "product": "courses", "serial": serial });
    vec![
        (
            "revocations",
            import(
                "A revocation list names licenses and serials",
                "§2",
                list(json!({ "licenses": [license_id(1), license_id(2)], "serials_below": [below(3)] })),
            )
            .taken(Stands { revocations: 1, ..ONE_NEW }),
        ),
        (
            "revoked-twice",
            import(
                "A license is revoked once",
                "§2",
                list(json!({ "licenses": [license_id(1), license_id(1)] })),
            )
            .refused_at(1, Code::PayloadMalformed),
        ),
        (
            "line-revoked-twice",
            import(
                "A line's serials are revoked once",
                "§2",
                list(json!({ "serials_below": [below(3), below(4)] })),
            )
            .refused_at(1, Code::PayloadMalformed),
        ),
    ]
}
