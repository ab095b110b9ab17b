//! Time, as far as documents say it: the floor, dates that are wrong, the vendor's word.

use serde_json::{Value, json};

use farhold_bundle::payload::{DocumentType, Role};
use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE, ONE_NEW, Stands},
    support::{Key, NONCE, Vendor, at, device, license_id, line, with},
    vector::Vector,
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = floors();
    vectors.extend(future_dates());
    vectors.extend(wrong_marks());
    vectors
}

fn dated(vendor: &Vendor, serial: u64, issued_at: &str, changes: Value) -> Vec<u8> {
    let content = with(vendor.license_json(serial), json!({ "issued_at": issued_at }));
    vendor.sign_license(&with(content, changes))
}

fn floors() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let root = vendor.root_line();
    let wrong = || dated(&vendor, 5, "2072-05-01T00:00:00Z", json!({}));
    let corrected = dated(&vendor, 6, "2027-05-01T00:00:00Z", json!({}));
    let list = vendor.revocations_line(1, &[license_id(9)]);
    let revoking = vendor.revocations_line(1, &[license_id(1)]);
    let below = with(
        vendor.revocations_json(1, &[]),
        json!({ "serials_below": [
            { "tenant_id": super::support::TENANT_A, "product": "courses", "serial": 6 },
        ]}),
    );
    let below = line(DocumentType::Revocations, &below, &vendor.revocation.keys);
    let labs = json!({ "product": "labs", "license_id": license_id(2), "entitlements": [] });
    let waiting = json!({ "not_before": "2071-01-01T00:00:00Z", "expires_on": "2072-01-01" });
    let later_root = Vendor { issued_at: "2030-01-01T00:00:00Z", ..vendor.next() };
    let of = |title, lines: &[&[u8]], floor: &str| {
        Case::floor(title, lines).taken(json!({ "floor": floor }))
    };
    let later = dated(&vendor, 6, "2027-09-01T00:00:00Z", json!({}));
    let reset = |title, time: &str, stood: &[&[u8]], lines: &[&[u8]], floor: &str| {
        Case::floor_after_reset(title, (time, stood), lines).taken(json!({ "floor": floor }))
    };
    vec![
        ("floor-of-a-root", of("A root dates the floor", &[&root], "2027-01-01T00:00:00Z")),
        (
            "floor-of-the-newest-root",
            of(
                "The root in force dates it, not the ones before",
                &[&root, &later_root.root_line()],
                "2030-01-01T00:00:00Z",
            ),
        ),
        (
            "floor-of-a-license",
            of("A license dates it", &[&root, &vendor.license_line(1)], "2027-01-02T00:00:00Z"),
        ),
        (
            "floor-of-revocations",
            of(
                "Revocations date it",
                &[&root, &list, &vendor.license_line(1)],
                "2027-01-03T00:00:00Z",
            ),
        ),
        (
            "floor-of-a-license-that-waits",
            of(
                "A license that waits was issued all the same",
                &[&root, &dated(&vendor, 1, "2027-06-01T00:00:00Z", waiting)],
                "2027-06-01T00:00:00Z",
            ),
        ),
        (
            "future-date-raises-the-floor",
            of("A date in the future raises it", &[&root, &wrong()], "2072-05-01T00:00:00Z"),
        ),
        (
            "future-date-replaced",
            of(
                "A wrong date goes away with the serial that replaces it",
                &[&root, &wrong(), &corrected],
                "2027-05-01T00:00:00Z",
            ),
        ),
        (
            "future-date-in-another-line",
            of(
                "But not with one of another product",
                &[&root, &wrong(), &dated(&vendor, 9, "2027-05-01T00:00:00Z", labs)],
                "2072-05-01T00:00:00Z",
            ),
        ),
        (
            "future-date-revoked",
            of(
                "A revoked license dates nothing",
                &[&root, &revoking, &wrong()],
                "2027-01-03T00:00:00Z",
            ),
        ),
        (
            "future-date-revoked-by-its-serial",
            of(
                "Nor one below the first serial that holds",
                &[&root, &below, &wrong()],
                "2027-01-03T00:00:00Z",
            ),
        ),
        (
            "future-date-reset",
            reset(
                "What a clock reset finds and is dated after it dates nothing",
                "2027-06-01T00:00:00Z",
                &[&root, &wrong()],
                &[&root, &wrong()],
                "2027-01-01T00:00:00Z",
            ),
        ),
        (
            "date-of-the-reset-itself",
            reset(
                "What is dated at its time does",
                "2027-01-02T00:00:00Z",
                &[&root, &vendor.license_line(1)],
                &[&root, &vendor.license_line(1)],
                "2027-01-02T00:00:00Z",
            ),
        ),
        (
            "date-after-the-reset",
            reset(
                "And so does what comes after it, whenever it is dated",
                "2027-06-01T00:00:00Z",
                &[&root, &wrong()],
                &[&root, &wrong(), &later],
                "2027-09-01T00:00:00Z",
            ),
        ),
    ]
}

fn future_dates() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let future = dated(&vendor, 1, "2072-05-01T00:00:00Z", json!({}));
    let corrected = dated(&vendor, 2, "2027-05-01T00:00:00Z", json!({}));
    vec![
        (
            "future-dated-license",
            Case::import(
                "A license of tomorrow is taken: clocks differ",
                "§5.2",
                &[vendor.root_line()],
                std::slice::from_ref(&future),
            )
            .taken(ONE_LICENSE),
        ),
        (
            "future-dated-license-corrected",
            Case::import(
                "A next serial may be of an earlier date",
                "§5.2",
                &[vendor.root_line(), future],
                &[corrected],
            )
            .taken(Stands { serials: &[1, 2], ..ONE_NEW }),
        ),
    ]
}

fn wrong_marks() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor { expires: "2032-01-01T00:00:00Z", ..Vendor::new(1) };
    let reset = vendor.clock_reset_line(&device(), NONCE);
    let foreign = vendor.clock_reset_line(&Key::new(b"another device"), NONCE);
    let ended = Vendor { expires: "2027-01-15T00:00:00Z", ..Vendor::new(1) };
    let too_late = ended.clock_reset_line(&device(), NONCE);
    let next = vendor.revoke(Role::License);
    let at_root_2 = [vendor.root_line(), next.root_line_after(&vendor)];
    let rotated = vendor.rotate(Role::License);
    let ten_years_ahead = |title, standing: &[Vec<u8>], lines: &[Vec<u8>]| {
        Case::import(title, "§5.6", standing, lines)
            .at_site()
            .with(|vector| vector.now = Some(at("2037-06-01T12:00:00Z")))
    };
    let root = [vendor.root_line()];
    let reset_to = Some("2027-02-01T00:00:00Z");
    vec![
        (
            "mark-past-the-roots-end",
            ten_years_ahead(
                "A mark ten years ahead has ended the root",
                &root,
                &[vendor.license_line(1)],
            )
            .refused(Code::TrustRootExpired),
        ),
        (
            "mark-past-the-roots-end-reset",
            ten_years_ahead(
                "The vendor's word on the time judges the root's end",
                &root,
                &[vendor.license_line(1), reset.clone()],
            )
            .taken(Stands {
                outcomes: &["new"; 2],
                clock_reset: reset_to,
                ..ONE_LICENSE
            }),
        ),
        (
            "mark-past-the-roots-end-reset-elsewhere",
            ten_years_ahead("But not its word to another agent", &root, &[foreign])
                .refused(Code::TrustRootExpired),
        ),
        (
            "reset-after-the-roots-end",
            Case::import(
                "A root that had ended by then resets nothing",
                "§5.6",
                &[ended.root_line()],
                &[too_late],
            )
            .at_site()
            .refused(Code::TrustRootExpired),
        ),
        (
            "reset-by-a-revoked-key",
            Case::import(
                "A revoked key resets no clock",
                "§1.5",
                &at_root_2,
                std::slice::from_ref(&reset),
            )
            .at_site()
            .refused_at(1, Code::SignatureKeyRevoked),
        ),
        (
            "reset-by-a-rotated-key",
            Case::import(
                "A clock reset is always a new word",
                "§3.3",
                &[vendor.root_line(), rotated.root_line_after(&vendor)],
                &[reset],
            )
            .at_site()
            .refused_at(1, Code::SignatureKeyUnknown),
        ),
    ]
}
