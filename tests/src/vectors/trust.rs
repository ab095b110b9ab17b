//! Trust: installed once, then walked root by root.

use serde_json::json;
use sha2::{Digest, Sha256};

use farhold_bundle::{
    LIMITS,
    payload::{DocumentType, Role},
};
use farhold_contract::{Code, Sha256Digest};

use super::{
    case::{Case, ONE_LICENSE, ONE_NEW, Stands},
    support::{Key, Vendor, line, payload_of, with},
    vector::Vector,
};

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = first_roots();
    vectors.extend(no_second_trust());
    vectors.extend(steps());
    vectors.extend(older());
    vectors.extend(thresholds());
    vectors.extend(ends());
    vectors.extend(constancy());
    vectors
}

fn sha256_of(line: &[u8]) -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(payload_of(line)).into())
}

fn import(title: &str, section: &str, standing: &Vendor, lines: &[Vec<u8>]) -> Case {
    Case::import(title, section, &[standing.root_line()], lines)
}

fn first_roots() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let root = vendor.root_line();
    let second = vendor.rotate(Role::Root);
    let rotated = second.root_line_after(&vendor);
    let both = Vendor::with_signers(1, Role::Root, 2);
    let half = line(DocumentType::Root, &both.root_json(), &both.root.keys[..1]);
    let by_license = line(DocumentType::Root, &vendor.root_json(), &vendor.license.keys);
    let hashed =
        |title, hash| Case::install(title, "§3.1", &root).with(|vector| vector.sha256 = Some(hash));
    let first = json!({ "version": 1, "sha256": sha256_of(&root) });
    vec![
        (
            "first-root",
            Case::install("A root that a package brings", "§3.1", &root).taken(first.clone()),
        ),
        (
            "first-root-by-hash",
            hashed("A root by the hash carried apart", sha256_of(&root)).taken(first),
        ),
        (
            "first-root-other-hash",
            hashed("A root of another hash", sha256_of(&rotated)).refused(Code::TrustHash),
        ),
        (
            "first-root-made-by-rotation",
            Case::install("A later root is installed by its own keys alone", "§3.1", &rotated)
                .taken(json!({ "version": 2, "sha256": sha256_of(&rotated) })),
        ),
        (
            "first-root-below-its-threshold",
            Case::install("A root needs a threshold of its own keys", "§3.1", &half)
                .refused(Code::SignatureThreshold),
        ),
        (
            "first-root-by-its-license-key",
            Case::install("A root is signed by root keys", "§3.1", &by_license)
                .refused(Code::SignatureKeyUnknown),
        ),
        (
            "first-root-that-is-a-license",
            Case::install("Only a root is installed", "§3.1", &vendor.license_line(1))
                .refused(Code::PayloadType),
        ),
        (
            "first-root-that-ends-before-it-was-made",
            Case::install(
                "A root ends after it was made",
                "§2",
                &Vendor { expires: "2026-12-31T00:00:00Z", ..vendor.clone() }.root_line(),
            )
            .refused(Code::PayloadMalformed),
        ),
    ]
}

fn no_second_trust() -> Vec<(&'static str, Vector)> {
    let ours = Vendor::new(1);
    let thief = Vendor::new(66);
    let in_our_name = Vendor { issuer: ours.issuer.clone(), ..thief.clone() };
    let bring_own = [thief.root_line(), thief.license_line(1)];
    let known = [ours.root_line(), ours.license_line(1)];
    let other_issuer = with(ours.license_json(1), json!({ "issuer": thief.issuer }));
    vec![
        (
            "no-root-installed",
            Case::import("Without a root nothing is taken", "§3.1", &[], &[ours.license_line(1)])
                .refused(Code::TrustMissing),
        ),
        (
            "no-root-installed-and-one-brought",
            Case::import(
                "A bundle that brings its own first root proves nothing",
                "§3.1",
                &[],
                &bring_own,
            )
            .refused(Code::TrustMissing),
        ),
        (
            "foreign-first-root",
            import("Another first root is no second trust", "§3.1", &ours, &bring_own)
                .refused_at(1, Code::TrustConflict),
        ),
        (
            "foreign-first-root-in-our-name",
            import("Nor under our issuer's name", "§3.1", &ours, &[in_our_name.root_line()])
                .refused_at(1, Code::TrustConflict),
        ),
        (
            "foreign-next-root",
            import(
                "A next root by foreign keys is short of ours",
                "§3.2",
                &ours,
                &[in_our_name.next().root_line()],
            )
            .refused_at(1, Code::SignatureThreshold),
        ),
        (
            "known-root",
            import("The root in force offered again is known", "§3.5", &ours, &known)
                .taken(Stands { outcomes: &["known", "new"], ..ONE_LICENSE }),
        ),
        (
            "license-of-another-issuer",
            import(
                "A license names the root's issuer",
                "§4.2",
                &ours,
                &[ours.sign_license(&other_issuer)],
            )
            .refused_at(1, Code::TrustIssuer),
        ),
    ]
}

/// A vendor and the roots that follow its first.
fn chain(steps: usize) -> (Vendor, Vec<Vec<u8>>) {
    let first = Vendor::new(1);
    let mut vendor = first.clone();
    let roots = (0..steps).map(|_| {
        let next = vendor.rotate(Role::Root);
        let line = next.root_line_after(&vendor);
        vendor = next;
        line
    });
    let roots = roots.collect();
    (first, roots)
}

fn older() -> Vec<(&'static str, Vector)> {
    let (first, mut roots) = chain(2);
    let third = (0..2).fold(first.clone(), |vendor, _| vendor.rotate(Role::Root));
    roots.insert(0, first.root_line());
    let license = third.license_line(1);
    let site = [roots[2].clone()];
    let offer = |title, lines: &[Vec<u8>]| Case::import(title, "§3.5", &site, lines);
    let root_3 = Stands { root: 3, ..ONE_LICENSE };
    let by_others = line(DocumentType::Root, &first.root_json(), &first.license.keys);
    let in_our_name = Vendor { issuer: first.issuer.clone(), version: 2, ..Vendor::new(66) };
    vec![
        (
            "whole-chain-at-a-later-root",
            offer(
                "A site that began with root 3 skips the roots before it",
                &[&roots[..], std::slice::from_ref(&license)].concat(),
            )
            .taken(Stands { outcomes: &["superseded", "superseded", "known", "new"], ..root_3 }),
        ),
        (
            "older-root-alone",
            offer("Also one of them alone", &[roots[1].clone(), license.clone()]).taken(Stands {
                outcomes: &["superseded", "new"],
                root: 3,
                ..ONE_LICENSE
            }),
        ),
        (
            "older-root-by-others",
            offer("But not where its own keys did not sign it", &[by_others, license.clone()])
                .refused_at(1, Code::SignatureKeyUnknown),
        ),
        (
            "older-root-of-another-issuer",
            offer("Nor another issuer's", &[Vendor::new(2).root_line(), license])
                .refused_at(1, Code::TrustIssuer),
        ),
        (
            "older-root-that-leads-elsewhere",
            offer(
                "Nor one that the next root does not follow",
                &[in_our_name.root_line(), roots[2].clone()],
            )
            .refused_at(2, Code::SignatureKeyUnknown),
        ),
    ]
}

fn steps() -> Vec<(&'static str, Vector)> {
    let (first, roots) = chain(3);
    let backwards: Vec<_> = roots.iter().rev().cloned().collect();
    let leap = Vendor { version: 3, ..first.next() };
    let other = Vendor { expires: "8999-01-01T00:00:00Z", ..first.next() };
    let (_, too_many) = chain(LIMITS.root_steps + 1);
    let (_, mut ten) = chain(10);
    let eleventh = (0..10).fold(first.clone(), |vendor, _| vendor.rotate(Role::Root));
    ten.push(eleventh.license_line(2));
    vec![
        (
            "ten-rotations",
            Case::import(
                "A site that slept through ten rotations catches up in one import",
                "§3.2",
                &[first.root_line(), first.license_line(1)],
                &ten,
            )
            .taken(Stands {
                outcomes: &["new"; 11],
                root: 11,
                serials: &[1, 2],
                ..ONE_NEW
            }),
        ),
        (
            "next-root",
            import("A root that follows by one", "§3.2", &first, &roots[..1])
                .taken(Stands { root: 2, ..ONE_NEW }),
        ),
        (
            "three-roots-backwards",
            import(
                "Roots are walked whatever the order of their lines",
                "§3.5",
                &first,
                &backwards,
            )
            .taken(Stands { outcomes: &["new"; 3], root: 4, ..ONE_NEW }),
        ),
        (
            "root-skipped",
            import("Root 3 is offered where root 2 must follow", "§3.2", &first, &roots[1..2])
                .refused_at(1, Code::TrustSkipped),
        ),
        (
            "root-skipped-by-the-right-keys",
            import("A leap is refused also by the right keys", "§3.2", &first, &[leap.root_line()])
                .refused_at(1, Code::TrustSkipped),
        ),
        (
            "two-roots-of-one-version",
            import(
                "Two roots of one version",
                "§3.5",
                &first,
                &[first.next().root_line(), other.root_line()],
            )
            .refused_at(2, Code::BundleConflict),
        ),
        (
            "root-steps-65",
            import("One import walks 64 roots", "§1.1", &first, &too_many)
                .refused_at(65, Code::BundleTooLarge),
        ),
    ]
}

fn thresholds() -> Vec<(&'static str, Vector)> {
    let first = Vendor::with_signers(1, Role::Root, 2);
    let second = first.rotate(Role::Root);
    let (old, new) = (first.root.keys.as_slice(), second.root.keys.as_slice());
    let by = |title, keys: &[&[Key]]| {
        let line = line(DocumentType::Root, &second.root_json(), &keys.concat());
        import(title, "§3.2", &first, &[line])
    };
    vec![
        (
            "root-by-old-and-new-keys",
            by("A threshold of the old and of the new root keys", &[old, new])
                .taken(Stands { root: 2, ..ONE_NEW }),
        ),
        (
            "root-by-new-keys-only",
            by("A root signed only by its own new keys", &[new])
                .refused_at(1, Code::SignatureThreshold),
        ),
        (
            "root-by-old-keys-only",
            by("A root whose new keys have not signed", &[old])
                .refused_at(1, Code::SignatureThreshold),
        ),
        (
            "root-by-too-few-old-keys",
            by("A root by too few of the old keys", &[&old[..1], new])
                .refused_at(1, Code::SignatureThreshold),
        ),
        (
            "root-by-a-surplus-license-key",
            by("A surplus signature by a license key", &[old, new, &first.license.keys])
                .refused_at(1, Code::SignatureWrongRole),
        ),
    ]
}

fn ends() -> Vec<(&'static str, Vector)> {
    let made = |vendor: Vendor| Vendor { issued_at: "2020-01-01T00:00:00Z", ..vendor };
    let first = made(Vendor { expires: "2021-01-01T00:00:00Z", ..Vendor::new(1) });
    let second = Vendor { expires: "2022-01-01T00:00:00Z", ..first.rotate(Role::Root) };
    let third = Vendor { expires: "9000-01-01T00:00:00Z", ..second.rotate(Role::Root) };
    let to_second = second.root_line_after(&first);
    let to_third = third.root_line_after(&second);
    let with_license = [to_second.clone(), to_third, third.license_line(1)];
    vec![
        (
            "expired-root-in-the-middle",
            import(
                "Expired roots in the middle of a chain still chain",
                "§3.2",
                &first,
                &with_license,
            )
            .taken(Stands { outcomes: &["new"; 3], root: 3, ..ONE_LICENSE }),
        ),
        (
            "expired-root-at-the-end",
            import("The last root of a bundle must not have ended", "§3.7", &first, &[to_second])
                .refused(Code::TrustRootExpired),
        ),
        (
            "expired-root-and-a-license",
            import(
                "A root that has ended takes no new word",
                "§3.7",
                &first,
                &[first.license_line(1)],
            )
            .refused(Code::TrustRootExpired),
        ),
    ]
}

fn constancy() -> Vec<(&'static str, Vector)> {
    let first = Vendor::new(1);
    let renamed = Vendor { issuer: Vendor::new(2).issuer, ..first.next() };
    let second = first.revoke(Role::Kernel);
    let forgetful = Vendor { revoked: Default::default(), ..second.next() };
    let mut moved = first.rotate(Role::License);
    moved.kernel = first.license.clone();
    let without = first.rotate(Role::License);
    let mut moved_later = without.rotate(Role::Revocation);
    moved_later.revocation = first.license.clone();
    let mut back = without.rotate(Role::License);
    back.license = first.license.clone();
    let (one, two) = (without.root_line_after(&first), moved_later.root_line_after(&without));
    let mut own_revoked = first.next();
    own_revoked.revoked.insert(first.license.keys[0].id());
    vec![
        (
            "root-of-another-issuer",
            import(
                "The issuer never changes along the chain",
                "§3.2",
                &first,
                &[renamed.root_line()],
            )
            .refused_at(1, Code::TrustIssuer),
        ),
        (
            "root-forgets-a-revoked-key",
            import("Revoked keys only grow", "§3.2", &second, &[forgetful.root_line()])
                .refused_at(1, Code::RootInvalid),
        ),
        (
            "root-moves-a-key",
            import("A key keeps its role", "§3.2", &first, &[moved.root_line()])
                .refused_at(1, Code::RootInvalid),
        ),
        (
            "root-moves-a-key-that-was-away",
            import(
                "Also one that the root before does not list",
                "§3.2",
                &first,
                &[one.clone(), two],
            )
            .refused_at(2, Code::RootInvalid),
        ),
        (
            "root-takes-a-key-back",
            import(
                "It may come back as what it was",
                "§3.2",
                &first,
                &[one, back.root_line_after(&without)],
            )
            .taken(Stands { outcomes: &["new"; 2], root: 3, ..ONE_NEW }),
        ),
        (
            "root-lists-a-revoked-key",
            import("A revoked key has no role", "§3.2", &first, &[own_revoked.root_line()])
                .refused_at(1, Code::PayloadMalformed),
        ),
    ]
}
