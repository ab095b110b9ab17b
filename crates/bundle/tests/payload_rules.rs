//! What proven bytes may say: one strict walk, critical names, then the type's own rules.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use farhold_bundle::{
    PayloadError, RefusalReason, Standing,
    payload::{ClockReset, DocumentType, License, Receipt, Role},
    seal,
};
use farhold_contract::Code;
use serde_json::{Value, json};
use support::*;

fn vendor() -> Vendor {
    Vendor::new(1)
}

/// What comes of a license with these members changed.
fn license(changes: Value) -> Result<Standing, RefusalReason> {
    let line = vendor().sign_license(&with(vendor().license_json(1), changes));
    import(&vendor().site(), &[line]).map(|plan| plan.standing).map_err(|refusal| refusal.reason)
}

fn license_text(text: &str) -> Result<Standing, RefusalReason> {
    let line = raw_line(DocumentType::License, text.as_bytes(), &vendor().license.keys);
    import(&vendor().site(), &[line]).map(|plan| plan.standing).map_err(|refusal| refusal.reason)
}

fn malformed(changes: Value) {
    let what = changes.to_string();
    match license(changes) {
        Err(reason) => assert_eq!(reason.code(), Code::PayloadMalformed, "{what}"),
        Ok(_) => panic!("taken: {what}"),
    }
}

fn taken(changes: Value) -> License {
    let what = changes.to_string();
    match license(changes) {
        Ok(standing) => standing.licenses()[0].content().clone(),
        Err(reason) => panic!("{what} is refused: {reason}"),
    }
}

#[test]
fn a_duplicate_key_is_refused_whether_or_not_its_name_is_known() {
    let plain = vendor().license_json(1).to_string();
    license_text(&plain).unwrap();
    for (from, to) in [
        (r#""serial":1"#, r#""serial":1,"serial":1"#),
        (r#""product":"courses""#, r#""x":1,"product":"courses","x":1"#),
        (r#""type":"company""#, r#""status":"suspended","type":"company""#),
        (r#""limits":{"quota":10}"#, r#""limits":{"quota":10,"quota":99}"#),
        (r#""limits":{"quota":10}"#, r#""limits":{"quota":10,"\u0071uota":99}"#),
        (r#""serial":1"#, r#""serial":1,"metadata":{"a":[{"b":1,"b":2}]}"#),
    ] {
        let text = plain.replacen(from, to, 1);
        assert_ne!(text, plain, "{from}");
        let reason = license_text(&text).unwrap_err();
        assert_eq!(reason.code(), Code::PayloadMalformed, "{to}");
    }
}

#[test]
fn a_feature_twice_for_one_scope_is_refused_and_for_two_scopes_taken() {
    let entitlement = |scope: Value| with(json!({ "feature": "live.rooms" }), scope);
    let twice =
        |scope: Value| json!({ "entitlements": [entitlement(scope.clone()), entitlement(scope)] });
    malformed(twice(json!({})));
    malformed(twice(json!({ "runtime_type": "labs" })));
    malformed(twice(json!({ "runtime_id": "01939b6e-0000-7000-8000-000000000301" })));
    malformed(json!({ "entitlements": [
        { "feature": "live.rooms", "limits": { "quota": 1 } },
        { "feature": "live.rooms", "limits": { "quota": 2 } },
    ] }));
    taken(json!({ "entitlements": [
        entitlement(json!({ "runtime_type": "labs" })),
        entitlement(json!({ "runtime_type": "courses" })),
    ] }));
    malformed(json!({ "flags": [{ "key": "a", "value": true }, { "key": "a", "value": false }] }));
}

#[test]
fn an_id_or_line_twice_in_a_revocation_list_is_refused() {
    let vendor = vendor();
    let list = |changes: Value| {
        let content = with(vendor.revocations_json(1, &[]), changes);
        let line = line(DocumentType::Revocations, &content, &vendor.revocation.keys);
        import(&vendor.site(), &[line])
    };
    let below =
        |serial: u64| json!({ "tenant_id": TENANT_A, "product": "courses", "serial": serial });
    list(json!({ "licenses": [license_id(1), license_id(2)] })).unwrap();
    list(json!({ "serials_below": [below(3)] })).unwrap();
    for twice in [
        json!({ "licenses": [license_id(1), license_id(1)] }),
        json!({ "serials_below": [below(3), below(4)] }),
    ] {
        assert_eq!(refused(list(twice)).0, Code::PayloadMalformed);
    }
}

#[test]
fn an_unknown_member_is_ignored_wherever_it_stands() {
    let license = taken(json!({
        "later": { "anything": [1, false, "x", 0.5, -3] },
        "tenant": {
            "tenant_id": TENANT_A, "type": "company", "status": "active", "later": 1,
            "policies": { "security_level": "standard", "later": 1 },
        },
        "entitlements": [{ "feature": "live.rooms", "later": 1, "limits": { "later": 1 } }],
    }));
    assert_eq!(license.entitlements.len(), 1);
}

#[test]
fn an_unknown_critical_name_is_refused_with_the_version_that_knows_it() {
    let critical = json!({ "critical": [{ "name": "seat-leases", "since": "0.4.0" }] });
    let reason = license(critical.clone()).unwrap_err();
    assert_eq!(reason.code(), Code::PayloadCritical);
    assert!(reason.to_string().contains("seat-leases needs agent ≥ 0.4.0"), "{reason}");

    // Also where the document's known part has changed its meaning: "update", not "malformed".
    let reason = license(with(critical.clone(), json!({ "entitlements": "by-seat" }))).unwrap_err();
    assert_eq!(reason.code(), Code::PayloadCritical);

    let vendor = vendor();
    let revocations = with(vendor.revocations_json(1, &[]), critical.clone());
    let revocations = line(DocumentType::Revocations, &revocations, &vendor.revocation.keys);
    assert_eq!(refusal(&vendor.site(), &[revocations]), Code::PayloadCritical);
    let root = with(vendor.next().root_json(), critical);
    let root = line(DocumentType::Root, &root, &vendor.root.keys);
    assert_eq!(refusal(&vendor.site(), &[root]), Code::PayloadCritical);
    taken(json!({ "critical": [] }));
}

#[test]
fn a_critical_member_that_cannot_be_read_is_refused_in_every_type() {
    let vendor = vendor();
    let signers = |role| vendor.group(role).keys.as_slice();
    let documents = [
        (DocumentType::License, vendor.license_json(1), Role::License),
        (DocumentType::Revocations, vendor.revocations_json(1, &[]), Role::Revocation),
        (DocumentType::Root, vendor.next().root_json(), Role::Root),
        (DocumentType::Receipt, content(&vendor.receipt_line(&device())), Role::Kernel),
        (
            DocumentType::ClockReset,
            content(&vendor.clock_reset_line(&device(), NONCE)),
            Role::License,
        ),
    ];
    for (kind, content, role) in documents {
        import(&vendor.site(), &[line(kind, &content, signers(role))]).unwrap();
        for (critical, code) in [
            (json!([{ "name": "x", "since": "9.0.0" }]), Code::PayloadCritical),
            (json!(["x"]), Code::PayloadMalformed),
            (json!("x"), Code::PayloadMalformed),
            (json!(null), Code::PayloadMalformed),
            (json!([{ "name": "x" }]), Code::PayloadMalformed),
        ] {
            let changed = with(content.clone(), json!({ "critical": critical }));
            let line = line(kind, &changed, signers(role));
            assert_eq!(refusal(&vendor.site(), &[line]), code, "{kind} {critical}");
        }
    }
}

fn content(line: &[u8]) -> Value {
    serde_json::from_slice(&payload_of(line)).unwrap()
}

#[test]
fn numbers_are_whole_and_between_1_and_2_53_minus_1() {
    let places: [fn(Value) -> Value; 6] = [
        |n| json!({ "serial": n }),
        |n| json!({ "sites": n }),
        |n| json!({ "entitlements": [{ "feature": "f", "limits": { "quota": n } }] }),
        |n| json!({ "entitlements": [{ "feature": "f", "limits": { "quota": 1, "overage": n } }] }),
        |n| json!({ "entitlements": [{ "feature": "f", "limits": { "concurrency": n } }] }),
        |n| json!({ "binding": { "fingerprint": { "components": { "disk": "0011223344556677" }, "require": n } } }),
    ];
    for place in places {
        taken(place(json!(1)));
        for bad in [
            json!(0),
            json!(-1),
            json!(LAST_NUMBER + 1),
            json!(u64::MAX),
            json!(1.5),
            json!(1.0),
            json!("1"),
        ] {
            malformed(place(bad));
        }
    }
    taken(json!({ "serial": LAST_NUMBER }));
    for text in [
        "1e3",
        "1E0",
        "-0",
        "9007199254740992",
        "18446744073709551616",
        "1e400",
        "01",
        "+1",
        "0x1",
        "NaN",
    ] {
        let payload = vendor().license_json(1).to_string().replacen(
            r#""serial":1"#,
            &format!(r#""serial":{text}"#),
            1,
        );
        assert_eq!(license_text(&payload).unwrap_err().code(), Code::PayloadMalformed, "{text}");
    }
}

#[test]
fn a_number_beyond_2_53_is_refused_also_in_a_member_nobody_reads() {
    taken(json!({ "metadata": { "n": [LAST_NUMBER, -9_007_199_254_740_991_i64, 0.25] } }));
    for n in [json!(LAST_NUMBER + 1), json!(-9_007_199_254_740_992_i64), json!(1e300)] {
        malformed(json!({ "metadata": { "n": n } }));
        malformed(json!({ "later": [n] }));
    }
}

#[test]
fn nesting_is_bounded_at_16() {
    let nested = |depth: usize| {
        let inner = "[".repeat(depth) + &"]".repeat(depth);
        serde_json::from_str::<Value>(&inner).unwrap()
    };
    // The payload's object and `later` itself are the first two levels.
    taken(json!({ "later": nested(15) }));
    malformed(json!({ "later": nested(16) }));
    let deep = format!(r#"{{"later":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(license_text(&deep).unwrap_err().code(), Code::PayloadMalformed);
}

#[test]
fn the_first_and_the_last_year_are_read() {
    let license = taken(json!({
        "issued_at": "0001-01-01T00:00:00Z",
        "not_before": "0001-01-01T00:00:00Z",
        "expires_on": "9999-12-31",
    }));
    assert_eq!(license.end(), Some(farhold_contract::Timestamp::MAX));
    let license = taken(json!({
        "issued_at": "0001-01-01T00:00:00Z",
        "not_before": "0001-01-01T00:00:00Z",
        "expires_on": "0001-01-01",
    }));
    assert_eq!(license.end(), Some(at("0001-01-02T12:00:00Z")));
    taken(json!({ "not_before": "9999-12-31T00:00:00Z", "expires_on": "9999-12-31" }));
    for day in [
        "0000-01-01",
        "10000-01-01",
        "2027-02-29",
        "2027-13-01",
        "2027-1-1",
        "20270101",
        "2027-01-01T00:00:00Z",
        "",
    ] {
        malformed(json!({ "expires_on": day }));
    }
    for instant in [
        "2027-01-02T00:00:00",
        "2027-01-02T00:00:00+00:00",
        "2027-01-02 00:00:00Z",
        "2027-01-02T24:00:00Z",
        "2027-01-02T00:00:60Z",
        "2027-01-02",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "1798848000",
        "",
    ] {
        malformed(json!({ "issued_at": instant }));
    }
    malformed(json!({ "issued_at": 1_798_848_000 }));
}

#[test]
fn a_license_is_bound_to_at_most_64_components() {
    let bound_to = |count: usize| {
        let components: serde_json::Map<String, Value> = (0..count)
            .map(|card| (format!("nic.e{card}"), Value::from(format!("{card:016x}"))))
            .collect();
        json!({ "binding": { "fingerprint": { "components": components, "require": 3 } } })
    };
    taken(bound_to(64));
    malformed(bound_to(65));
}

#[test]
fn a_license_ends_with_its_last_day_in_its_zone() {
    let end = |changes: Value| taken(changes).end().map(|end| end.to_string());
    // UTC-12, where a day ends last.
    assert_eq!(end(json!({})).as_deref(), Some("2028-02-01T12:00:00Z"));
    let in_zone = |zone: &str, day: &str| end(json!({ "time_zone": zone, "expires_on": day }));
    assert_eq!(in_zone("UTC", "2028-01-31").as_deref(), Some("2028-02-01T00:00:00Z"));
    assert_eq!(
        in_zone("Pacific/Kiritimati", "2028-01-31").as_deref(),
        Some("2028-01-31T10:00:00Z")
    );
    // A day of 25 hours, and one before a day whose midnight does not exist.
    assert_eq!(in_zone("Europe/Berlin", "2027-10-31").as_deref(), Some("2027-10-31T23:00:00Z"));
    let before_a_gap = json!({
        "issued_at": "2018-01-01T00:00:00Z", "not_before": "2018-01-01T00:00:00Z",
        "time_zone": "America/Sao_Paulo", "expires_on": "2018-11-03",
    });
    assert_eq!(end(before_a_gap).as_deref(), Some("2018-11-04T03:00:00Z"));
    malformed(json!({ "time_zone": "Mars/Olympus" }));
    malformed(json!({ "time_zone": "" }));
    // A database has a name for no place, and for one that nobody knows: no day ends there.
    for no_zone in ["Factory", "factory", "Etc/Unknown", "etc/unknown"] {
        malformed(json!({ "time_zone": no_zone }));
    }
}

#[test]
fn a_null_is_no_way_to_leave_a_member_out() {
    for member in ["expires_on", "time_zone", "released_before", "metadata", "later"] {
        malformed(json!({ member: null }));
    }
    malformed(json!({ "later": { "anything": [null] } }));
}

#[test]
fn a_license_without_an_end_must_say_which_releases_it_covers() {
    let endless = |changes: Value| {
        let mut plain = with(vendor().license_json(1), changes);
        plain.as_object_mut().unwrap().remove("expires_on");
        license_text(&plain.to_string())
    };
    assert_eq!(endless(json!({})).unwrap_err().code(), Code::PayloadMalformed);
    let standing = endless(json!({ "released_before": "2028-01-01" })).unwrap();
    assert_eq!(standing.licenses()[0].end(), None);
    let with_ladder = json!({ "released_before": "2028-01-01", "ladder": { "grace": "P1D" } });
    assert_eq!(endless(with_ladder).unwrap_err().code(), Code::PayloadMalformed);
    malformed(json!({ "expires_on": "2026-12-31" }));
}

#[test]
fn a_detached_license_must_say_which_machine_it_is_for() {
    malformed(json!({ "modes": ["detached"] }));
    malformed(json!({ "modes": ["managed", "detached"] }));
    malformed(json!({ "modes": [] }));
    malformed(json!({ "modes": ["floating"] }));
    taken(json!({ "modes": ["detached"], "binding": "none" }));
    taken(json!({ "modes": ["detached"], "binding": { "device_key": device().public() } }));
    let fingerprint = |require: u64| {
        let components = json!({ "disk": "0011223344556677", "board": "8899aabbccddeeff" });
        json!({ "binding": { "fingerprint": { "components": components, "require": require } } })
    };
    taken(fingerprint(2));
    malformed(fingerprint(3));
    malformed(json!({ "binding": "some" }));
}

#[test]
fn what_a_license_grants_must_make_sense() {
    for entitlement in [
        json!({ "feature": "" }),
        json!({ "feature": "two words" }),
        json!({ "feature": "x".repeat(129) }),
        json!({ "feature": "f", "limits": { "time_window": "P1M" } }),
        json!({ "feature": "f", "limits": { "overage": 3 } }),
        json!({ "feature": "f", "limits": { "quota": 3, "time_window": "P0D" } }),
        json!({ "feature": "f", "limits": { "quota": 3, "time_window": "1 month" } }),
        json!({ "feature": "f", "limits": { "quota": 3, "time_window": "-P1D" } }),
        json!({ "feature": "f", "runtime_type": "fridge" }),
        json!({ "feature": "f", "runtime_type": "labs", "runtime_id": "01939b6e-0000-7000-8000-000000000301" }),
        json!({ "feature": "f", "valid_until": "2028-02-01T12:00:00.001Z" }),
        json!({ "feature": "f", "ladder": { "grace": "P101Y" } }),
    ] {
        malformed(json!({ "entitlements": [entitlement] }));
    }
    taken(json!({ "entitlements": [{ "feature": "f", "valid_until": "2028-02-01T12:00:00Z" }] }));
    taken(json!({ "entitlements": [] }));
    malformed(json!({ "versions": "not a range" }));
    malformed(json!({ "issued_to": "" }));
    malformed(json!({ "issued_to": "a\u{0}b" }));
    malformed(json!({ "license_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479" }));
    malformed(json!({ "audit": { "redact": ["/type"] } }));
}

#[test]
fn a_payload_is_one_json_object_and_nothing_after_it() {
    let plain = vendor().license_json(1).to_string();
    for text in [
        format!("{plain} {{}}"),
        format!("[{plain}]"),
        format!("\u{feff}{plain}"),
        plain.replacen('{', "{,", 1),
        plain.replacen("\"serial\"", "'serial'", 1),
        "null".into(),
        "7".into(),
        "{}".into(),
        " ".into(),
    ] {
        assert_eq!(license_text(&text).unwrap_err().code(), Code::PayloadMalformed, "{text}");
    }
    license_text(&format!(" {plain}\n")).unwrap();
    let latin1 = plain.replace("Example School", "\u{1}").into_bytes();
    let latin1: Vec<u8> =
        latin1.into_iter().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect();
    let line = raw_line(DocumentType::License, &latin1, &vendor().license.keys);
    assert_eq!(refusal(&vendor().site(), &[line]), Code::PayloadMalformed);
}

#[test]
fn receipts_and_clock_resets_are_held_to_their_own_rules() {
    let vendor = vendor();
    let receipt = content(&vendor.receipt_line(&device()));
    for bad in [
        json!({ "seq": 0 }),
        json!({ "epoch": "00" }),
        json!({ "epoch": NONCE.to_uppercase() }),
        json!({ "head": "11".repeat(31) }),
        json!({ "device_key": "00".repeat(32) }),
        json!({ "received_at": "yesterday" }),
    ] {
        let line = line(DocumentType::Receipt, &with(receipt.clone(), bad), &vendor.kernel.keys);
        assert_eq!(refusal(&vendor.site(), &[line]), Code::PayloadMalformed);
    }
    let reset = content(&vendor.clock_reset_line(&device(), NONCE));
    for bad in [json!({ "nonce": "" }), json!({ "nonce": "zz".repeat(16) }), json!({ "time": 5 })] {
        let line = line(DocumentType::ClockReset, &with(reset.clone(), bad), &vendor.license.keys);
        assert_eq!(refusal(&vendor.site(), &[line]), Code::PayloadMalformed);
    }
}

#[test]
fn nothing_is_sealed_that_would_be_refused() {
    let signer = &vendor().license.keys[0];
    let mut license: License = typed(&vendor().license_json(1));
    seal(&license, signer).unwrap();
    license.entitlements.push(license.entitlements[0].clone());
    assert!(matches!(
        seal(&license, signer),
        Err(RefusalReason::Payload(PayloadError::Invalid { .. }))
    ));

    let mut reset: ClockReset = typed(&content(&vendor().clock_reset_line(&device(), NONCE)));
    reset.nonce.pop();
    assert!(matches!(
        seal(&reset, signer),
        Err(RefusalReason::Payload(PayloadError::Invalid { member: "nonce", .. }))
    ));
    let mut receipt: Receipt = typed(&content(&vendor().receipt_line(&device())));
    receipt.epoch.clear();
    assert!(matches!(
        seal(&receipt, signer),
        Err(RefusalReason::Payload(PayloadError::Invalid { member: "epoch", .. }))
    ));
}
