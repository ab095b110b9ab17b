//! Theft: a key is stolen, a line is stripped; one new root heals it.

use serde_json::json;

use farhold_bundle::payload::{DocumentType, Role};
use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE, ONE_NEW, Stands},
    support::{LAST_NUMBER, TENANT_A, Vendor, license_id, line, with},
    vector::Vector,
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = last_numbers();
    vectors.push(pushed_out());
    vectors.extend(rotated_and_revoked());
    vectors.extend(stripped());
    vectors
}

fn standing(vendor: &Vendor, lines: &[Vec<u8>]) -> Vec<Vec<u8>> {
    [&[vendor.root_line()], lines].concat()
}

fn last_numbers() -> Vec<(&'static str, Vector)> {
    let first = Vendor::new(1);
    let robbed = standing(&first, &[first.license_line(5), first.license_line(LAST_NUMBER)]);
    let second = first.revoke(Role::License);
    let root = second.root_line_after(&first);
    let poisoned = standing(
        &first,
        &[first.revocations_line(LAST_NUMBER, &[license_id(1)]), first.license_line(5)],
    );
    let healer = first.revoke(Role::Revocation);
    let healing = healer.root_line_after(&first);
    let bounding = with(
        first.revocations_json(LAST_NUMBER, &[]),
        json!({ "serials_below": [
            { "tenant_id": TENANT_A, "product": "courses", "serial": LAST_NUMBER },
        ]}),
    );
    let bounding = line(DocumentType::Revocations, &bounding, &first.revocation.keys);
    let mut either = Vendor::with_signers(1, Role::Revocation, 2);
    either.revocation.threshold = 1;
    let by = |n: usize, generation| {
        let content = either.revocations_json(generation, &[]);
        line(DocumentType::Revocations, &content, &either.revocation.keys[n..=n])
    };
    let mut one_revoked = either.next();
    one_revoked.revoked.extend(one_revoked.revocation.keys.pop().map(|stolen| stolen.id()));
    let second_key = first.rotate(Role::License);
    let third = second_key.revoke(Role::License);
    let lived_through = [
        first.root_line(),
        second_key.root_line_after(&first),
        first.license_line(5),
        second_key.license_line(LAST_NUMBER),
    ];
    let import = |title, section, standing: &[Vec<u8>], lines: &[Vec<u8>]| {
        Case::import(title, section, standing, lines)
    };
    vec![
        (
            "last-serial-blocks",
            import(
                "The last serial leaves no room above it",
                "§3.5",
                &robbed,
                &[first.license_line(6)],
            )
            .refused(Code::BundleSuperseded),
        ),
        (
            "last-serial-healed",
            import(
                "One new root undoes the last serial of a stolen license key",
                "§3.3",
                &robbed,
                &[root.clone(), second.license_line(6)],
            )
            .taken(Stands {
                outcomes: &["new"; 2],
                fallen: 2,
                root: 2,
                serials: &[6],
                ..ONE_NEW
            }),
        ),
        (
            "mark-falls-with-its-license",
            import(
                "The mark falls also where nothing follows",
                "§3.3",
                &robbed,
                std::slice::from_ref(&root),
            )
            .taken(Stands { fallen: 2, root: 2, ..ONE_NEW }),
        ),
        (
            "last-generation-healed",
            import(
                "One new root undoes the last generation of a stolen revocation key",
                "§3.3",
                &poisoned,
                &[healing.clone(), healer.revocations_line(4, &[])],
            )
            .taken(Stands {
                outcomes: &["new"; 2],
                fallen: 1,
                root: 2,
                revocations: 4,
                serials: &[5],
                ..ONE_NEW
            }),
        ),
        (
            "last-generation-falls",
            import(
                "A stolen key's revocations fall with it",
                "§3.3",
                &poisoned,
                std::slice::from_ref(&healing),
            )
            .taken(Stands { fallen: 1, root: 2, serials: &[5], ..ONE_NEW }),
        ),
        (
            "last-generation-blocks",
            import(
                "The last generation leaves no room above it",
                "§3.5",
                &poisoned,
                &[first.revocations_line(4, &[])],
            )
            .refused(Code::BundleSuperseded),
        ),
        (
            "every-serial-below-the-last",
            import(
                "A thief's bound on serials falls with its list",
                "§3.3",
                &standing(&first, &[bounding, first.license_line(5)]),
                &[healing.clone(), first.license_line(6)],
            )
            .taken(Stands {
                outcomes: &["new"; 2],
                fallen: 1,
                root: 2,
                serials: &[5, 6],
                ..ONE_NEW
            }),
        ),
        (
            "list-of-another-key-comes-back",
            import(
                "The list before comes back when the thief's falls",
                "§3.3",
                &standing(&either, &[by(0, 3), by(1, LAST_NUMBER)]),
                &[one_revoked.root_line_after(&either)],
            )
            .taken(Stands { fallen: 1, root: 2, revocations: 3, ..ONE_NEW }),
        ),
        (
            "license-of-another-key-comes-back",
            import(
                "The license before comes back when the thief's falls",
                "§3.3",
                &lived_through,
                &[third.root_line_after(&second_key)],
            )
            .taken(Stands { fallen: 1, root: 3, serials: &[5], ..ONE_NEW }),
        ),
        (
            "thiefs-license-beside-the-root",
            import(
                "A thief's license in the bundle that revokes the key",
                "§3.4",
                &standing(&first, &[]),
                &[first.license_line(LAST_NUMBER), root],
            )
            .refused_at(1, Code::SignatureKeyRevoked),
        ),
    ]
}

/// What stands of 40 serials where the first has another signer: it, and the last 16.
const NOT_PUSHED_OUT: [u64; 17] =
    [1, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40];

/// Thirty-nine serials of a stolen key in one bundle, and what another key signed before them.
fn pushed_out() -> (&'static str, Vector) {
    let mut vendor = Vendor::with_signers(1, Role::License, 2);
    vendor.license.threshold = 1;
    let by = |key: usize, serial| {
        let content = vendor.license_json(serial);
        line(DocumentType::License, &content, &vendor.license.keys[key..=key])
    };
    let stolen: Vec<_> = (2..=40).map(|serial| by(1, serial)).collect();
    (
        "own-serials-alone-are-pushed-out",
        Case::import(
            "A stolen key's serials push out its own, and nothing that another key signed",
            "§3.4",
            &[vendor.root_line(), by(0, 1)],
            &stolen,
        )
        .taken(Stands { outcomes: &["new"; 39], serials: &NOT_PUSHED_OUT, ..ONE_NEW }),
    )
}

fn rotated_and_revoked() -> Vec<(&'static str, Vector)> {
    let first = Vendor::new(1);
    let lived_in = standing(&first, &[first.license_line(1)]);
    let rotated = first.rotate(Role::License);
    let rotation = rotated.root_line_after(&first);
    let at_root_2 =
        |vendor: &Vendor, root: &[u8], line: Vec<u8>| vec![vendor.root_line(), root.to_vec(), line];
    let later = Vendor { revoked: [first.license.keys[0].id()].into(), ..rotated.next() };
    let mut after_rotation = at_root_2(&first, &rotation, first.license_line(1));
    after_rotation.push(rotated.license_line(2));
    let by_three = |threshold| {
        let mut vendor = Vendor::with_signers(1, Role::License, 3);
        vendor.license.threshold = threshold;
        let mut next = vendor.rotate(Role::License);
        next.revoked.insert(vendor.license.keys[0].id());
        let standing = standing(&vendor, &[vendor.license_line(1)]);
        (standing, [next.root_line_after(&vendor)])
    };
    let (two_of_three, one_revoked) = by_three(2);
    let (three_of_three, one_revoked_of_all) = by_three(3);
    let import = |title, section, standing: &[Vec<u8>], lines: &[Vec<u8>]| {
        Case::import(title, section, standing, lines)
    };
    vec![
        (
            "rotated-keys-license-stays",
            import(
                "What a rotated key signed stays",
                "§3.3",
                &lived_in,
                std::slice::from_ref(&rotation),
            )
            .taken(Stands { root: 2, ..ONE_LICENSE }),
        ),
        (
            "rotated-keys-license-is-known",
            import(
                "What a rotated key signed is known beside news",
                "§3.4",
                &at_root_2(&first, &rotation, first.license_line(1)),
                &[first.license_line(1), rotated.license_line(2)],
            )
            .taken(Stands {
                outcomes: &["known", "new"],
                root: 2,
                serials: &[1, 2],
                ..ONE_NEW
            }),
        ),
        (
            "rotated-key-signs-nothing-new",
            import(
                "A rotated key signs nothing new",
                "§3.3",
                &at_root_2(&first, &rotation, first.license_line(1)),
                &[first.license_line(2)],
            )
            .refused_at(1, Code::SignatureKeyUnknown),
        ),
        (
            "rotated-then-revoked",
            import(
                "A key rotated first and revoked later takes its license with it",
                "§3.3",
                &after_rotation,
                &[later.root_line()],
            )
            .taken(Stands { fallen: 1, root: 3, serials: &[2], ..ONE_NEW }),
        ),
        (
            "revoked-key-signs-nothing",
            import(
                "A revoked key signs nothing",
                "§1.5",
                &[first.root_line(), first.revoke(Role::License).root_line_after(&first)],
                &[first.license_line(2)],
            )
            .refused_at(1, Code::SignatureKeyRevoked),
        ),
        (
            "enough-signers-left",
            import(
                "A license stays while enough of its signers do",
                "§3.3",
                &two_of_three,
                &one_revoked,
            )
            .taken(Stands { root: 2, ..ONE_LICENSE }),
        ),
        (
            "too-few-signers-left",
            import(
                "A license falls with a signer it needed",
                "§3.3",
                &three_of_three,
                &one_revoked_of_all,
            )
            .taken(Stands { fallen: 1, root: 2, ..ONE_NEW }),
        ),
    ]
}

fn stripped() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let needing =
        |needs| vendor.sign_license(&with(vendor.license_json(1), json!({ "needs": needs })));
    let license = needing(json!({ "revocations": 4 }));
    let list = vendor.revocations_line(4, &[license_id(9)]);
    let second = vendor.revoke(Role::Revocation);
    let after_theft = line(
        DocumentType::License,
        &with(vendor.license_json(1), json!({ "needs": { "revocations": 4 } })),
        &vendor.license.keys,
    );
    let import = |title, standing: &[Vec<u8>], lines: &[Vec<u8>]| {
        Case::import(title, "§4.2", standing, lines).at_site()
    };
    let fresh = standing(&vendor, &[]);
    vec![
        (
            "needs-met",
            import(
                "The bundle brings what its license needs",
                &fresh,
                &[license.clone(), list.clone()],
            )
            .taken(Stands { outcomes: &["new"; 2], revocations: 4, ..ONE_LICENSE }),
        ),
        (
            "revocations-stripped",
            import(
                "Nobody takes a revocation out of a bundle",
                &fresh,
                std::slice::from_ref(&license),
            )
            .refused_at(1, Code::BundleIncomplete),
        ),
        (
            "root-stripped",
            import("Nor a root", &fresh, &[needing(json!({ "root": 2 }))])
                .refused_at(1, Code::BundleIncomplete),
        ),
        (
            "needs-met-before",
            import(
                "What stands already need not be brought",
                &standing(&vendor, &[list]),
                &[license],
            )
            .taken(Stands { revocations: 4, ..ONE_LICENSE }),
        ),
        (
            "needs-after-a-fall",
            import(
                "What falls with this bundle meets no need",
                &standing(&vendor, &[vendor.revocations_line(LAST_NUMBER, &[])]),
                &[second.root_line_after(&vendor), after_theft],
            )
            .refused_at(2, Code::BundleIncomplete),
        ),
    ]
}
