//! Order: numbers only rise, one number is one document, all or nothing.

use serde_json::json;

use farhold_bundle::payload::{DocumentType, Role};
use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE, ONE_NEW, Stands},
    support::{LAST_NUMBER, Vendor, license_id, line, with},
    vector::Vector,
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = serials();
    vectors.extend(generations());
    vectors.extend(bundles());
    vectors.extend(states());
    vectors
}

/// A site of the vendor, where these lines stand beside the root.
fn standing(vendor: &Vendor, lines: &[Vec<u8>]) -> Vec<Vec<u8>> {
    [&[vendor.root_line()], lines].concat()
}

fn serials() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let serial = |serial| vendor.license_line(serial);
    let other = |serial| {
        let to = json!({ "issued_to": "Another School" });
        vendor.sign_license(&with(vendor.license_json(serial), to))
    };
    let at_5 = standing(&vendor, &[serial(5)]);
    let import = |title, lines: &[Vec<u8>]| Case::import(title, "§3.5", &at_5, lines);
    let mut either = Vendor::with_signers(1, Role::License, 2);
    either.license.threshold = 1;
    let by = |n: usize| {
        line(DocumentType::License, &either.license_json(5), &either.license.keys[n..=n])
    };
    let waiting = with(
        vendor.license_json(6),
        json!({ "not_before": "8000-01-01T00:00:00Z", "expires_on": "8000-12-31" }),
    );
    let in_labs = with(
        vendor.license_json(1),
        json!({ "product": "labs", "license_id": license_id(2), "entitlements": [] }),
    );
    vec![
        (
            "older-serial",
            import("An older serial is superseded", &[serial(4)]).refused(Code::BundleSuperseded),
        ),
        (
            "same-serial",
            import("The same document is known", &[serial(5)]).refused(Code::BundleSuperseded),
        ),
        (
            "older-serials-beside-news",
            import(
                "What is known or superseded is skipped and shown",
                &[serial(4), serial(6), serial(5)],
            )
            .taken(Stands {
                outcomes: &["superseded", "new", "known"],
                serials: &[5, 6],
                ..ONE_NEW
            }),
        ),
        (
            "same-serial-other-bytes",
            import("One serial is one document", &[other(5)]).refused_at(1, Code::BundleConflict),
        ),
        (
            "same-serial-other-bytes-beside-news",
            import("A conflict refuses the whole bundle", &[serial(6), other(5)])
                .refused_at(2, Code::BundleConflict),
        ),
        (
            "same-serial-twice-in-one-bundle",
            import("Also within one bundle", &[serial(7), other(7)])
                .refused_at(2, Code::BundleConflict),
        ),
        (
            "same-document-other-signature",
            Case::import(
                "A document is its payload, whichever of its keys signed",
                "§3.5",
                &standing(&either, &[by(0)]),
                &[
                    by(1),
                    line(DocumentType::License, &either.license_json(6), &either.license.keys),
                ],
            )
            .taken(Stands { outcomes: &["known", "new"], serials: &[5, 6], ..ONE_NEW }),
        ),
        (
            "older-serial-unproven",
            import(
                "What is skipped must hold all the same",
                &[
                    line(
                        DocumentType::License,
                        &vendor.license_json(4),
                        &Vendor::new(66).license.keys,
                    ),
                    serial(6),
                ],
            )
            .refused_at(1, Code::SignatureKeyUnknown),
        ),
        (
            "last-serial",
            Case::import("The last serial is 2^53 - 1", "§1.8", &at_5, &[serial(LAST_NUMBER)])
                .taken(Stands { serials: &[5, LAST_NUMBER], ..ONE_NEW }),
        ),
        (
            "license-that-waits",
            Case::import(
                "A license imported early waits",
                "§4.3",
                &at_5,
                &[vendor.sign_license(&waiting)],
            )
            .taken(Stands { serials: &[5, 6], ..ONE_NEW }),
        ),
        (
            "line-of-another-product",
            Case::import(
                "Each product has its own line",
                "§4.1",
                &at_5,
                &[vendor.sign_license(&in_labs)],
            )
            .taken(Stands { serials: &[5, 1], ..ONE_NEW }),
        ),
    ]
}

fn generations() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let list = |generation, ids: &[u8]| {
        let ids: Vec<_> = ids.iter().map(|&id| license_id(id)).collect();
        vendor.revocations_line(generation, &ids)
    };
    let at_5 = standing(&vendor, &[list(5, &[1, 2])]);
    let import = |title, line: Vec<u8>| Case::import(title, "§3.5", &at_5, &[line]);
    vec![
        (
            "older-generation",
            import("Older revocations are superseded", list(4, &[]))
                .refused(Code::BundleSuperseded),
        ),
        (
            "same-generation-other-content",
            import("One generation is one list", list(5, &[1])).refused_at(1, Code::BundleConflict),
        ),
        (
            "same-generation",
            import("The same list is known", list(5, &[1, 2])).refused(Code::BundleSuperseded),
        ),
        (
            "last-generation",
            import("The last generation is 2^53 - 1", list(LAST_NUMBER, &[]))
                .taken(Stands { revocations: LAST_NUMBER, ..ONE_NEW }),
        ),
        (
            "newer-generation",
            import("A newer list replaces the older, whatever the step", list(9, &[]))
                .taken(Stands { revocations: 9, ..ONE_NEW }),
        ),
    ]
}

fn bundles() -> Vec<(&'static str, Vector)> {
    let first = Vendor::new(1);
    let second = first.rotate(Role::License);
    let root = second.root_line_after(&first);
    let list = second.revocations_line(2, &[license_id(9)]);
    let license = second.license_line(1);
    let site = standing(&first, &[]);
    let mut broken = license.clone();
    let place = broken.len() - 10;
    broken[place] = if broken[place] == b'A' { b'B' } else { b'A' };
    vec![
        (
            "lines-in-any-order",
            Case::import("Lines have no order", "§3.5", &site, &[&license, &list, &root])
                .taken(Stands { outcomes: &["new"; 3], root: 2, revocations: 2, ..ONE_LICENSE }),
        ),
        (
            "all-or-nothing",
            Case::import("One line refuses the bundle", "§3.5", &site, &[&root, &list, &broken])
                .refused_at(3, Code::SignatureInvalid),
        ),
        (
            "new-key-without-its-root",
            Case::import(
                "A license by a key of a root that is missing",
                "§3.5",
                &site,
                &[&license],
            )
            .refused_at(1, Code::SignatureKeyUnknown),
        ),
    ]
}

/// Whatever has become of the site, a bundle is taken: it is how a site is repaired.
fn states() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let license =
        |serial, changes| vendor.sign_license(&with(vendor.license_json(serial), changes));
    let plain = |serial| license(serial, json!({}));
    let list = vendor.revocations_line(3, &[license_id(1)]);
    let next = |title, section, standing: &[Vec<u8>], stands: Stands| {
        Case::import(title, section, &self::standing(&vendor, standing), &[plain(6)])
            .at_site()
            .taken(stands)
    };
    let both = || Stands { serials: &[5, 6], ..ONE_NEW };
    let ended = json!({ "not_before": "2026-01-01T00:00:00Z", "expires_on": "2026-12-31" });
    let waits = json!({ "not_before": "8000-01-01T00:00:00Z", "expires_on": "8000-12-31" });
    let bound = json!({ "binding": { "device_key": vendor.root.keys[0].public() } });
    let detached = json!({ "modes": ["detached"], "binding": "none" });
    let second = vendor.rotate(Role::License);
    let second_copy = [vendor.root_line(), list.clone(), plain(5)];
    vec![
        (
            "import-while-ended",
            next("While the license has ended", "§3.5", &[license(5, ended)], both()),
        ),
        (
            "import-while-it-waits",
            next("While the license has not begun", "§3.5", &[license(5, waits)], both()),
        ),
        (
            "import-while-revoked",
            next(
                "While the license is revoked",
                "§3.5",
                &[list.clone(), plain(5)],
                Stands { revocations: 3, ..both() },
            ),
        ),
        (
            "import-while-bound-elsewhere",
            next("While the license is another machine's", "§3.5", &[license(5, bound)], both()),
        ),
        (
            "import-while-in-another-mode",
            next("While the license is for another mode", "§3.5", &[license(5, detached)], both()),
        ),
        (
            "import-while-nothing-stands",
            next("While nothing stands", "§3.5", &[], Stands { serials: &[6], ..ONE_NEW }),
        ),
        (
            "everything-lost-and-brought-again",
            Case::import(
                "A site that lost all but its root takes what it had",
                "§3.6",
                &standing(&vendor, &[]),
                &second_copy,
            )
            .at_site()
            .taken(Stands {
                outcomes: &["known", "new", "new"],
                revocations: 3,
                serials: &[5],
                ..ONE_NEW
            }),
        ),
        (
            "licenses-lost-and-revocations-kept",
            Case::import(
                "What is left of a half-deleted site still counts",
                "§3.6",
                &standing(&vendor, std::slice::from_ref(&list)),
                &[vendor.revocations_line(2, &[]), plain(5)],
            )
            .at_site()
            .taken(Stands {
                outcomes: &["superseded", "new"],
                revocations: 3,
                serials: &[5],
                ..ONE_NEW
            }),
        ),
        (
            "revocations-lost-and-needed",
            Case::import(
                "What a half-deleted site has lost, a license that needs it brings to light",
                "§4.2",
                &standing(&vendor, &[plain(5)]),
                &[license(6, json!({ "needs": { "revocations": 3 } }))],
            )
            .at_site()
            .refused_at(1, Code::BundleIncomplete),
        ),
        (
            "restored-from-a-snapshot",
            Case::import(
                "A site set back to an older state goes on from there",
                "§3.6",
                &standing(&vendor, &[plain(4)]),
                &[plain(5), second.root_line_after(&vendor), second.license_line(6)],
            )
            .at_site()
            .refused_at(1, Code::SignatureKeyUnknown),
        ),
        (
            "restored-from-a-snapshot-and-reissued",
            Case::import(
                "By what the keys of today have signed",
                "§3.6",
                &standing(&vendor, &[plain(4)]),
                &[second.root_line_after(&vendor), second.license_line(6)],
            )
            .at_site()
            .taken(Stands {
                outcomes: &["new"; 2],
                root: 2,
                serials: &[4, 6],
                ..ONE_NEW
            }),
        ),
    ]
}
