//! Trust is installed once and then walked, root by root.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use farhold_bundle::{Envelope, LIMITS, LineOutcome, Standing, TrustRoot, payload::*, plan_import};
use farhold_contract::{Code, Sha256Digest};
use serde_json::json;
use sha2::{Digest, Sha256};
use support::*;

fn sha256_of(line: &[u8]) -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(payload_of(line)).into())
}

fn step(from: &Vendor, line: &[u8]) -> Result<u64, Code> {
    let root = TrustRoot::install(&from.root_line(), None).unwrap();
    let next = root.step(Envelope::open(line).unwrap());
    next.map(|next| next.version()).map_err(|reason| reason.code())
}

/// The first root and so many that follow it, each signed by the one before.
fn chain(steps: u64) -> (Vendor, Vec<Vec<u8>>) {
    chain_of(Role::Root, steps)
}

/// The same, where each root has a fresh key of one role.
fn chain_of(role: Role, steps: u64) -> (Vendor, Vec<Vec<u8>>) {
    let first = Vendor::new(1);
    let mut lines = Vec::new();
    let mut vendor = first.clone();
    for _ in 0..steps {
        let next = vendor.rotate(role);
        lines.push(next.root_line_after(&vendor));
        vendor = next;
    }
    (first, lines)
}

/// The vendor after so many steps of its [`chain`].
fn newest_of(first: &Vendor, steps: u64) -> Vendor {
    (0..steps).fold(first.clone(), |vendor, _| vendor.rotate(Role::Root))
}

#[test]
fn a_first_root_is_installed_by_the_hash_carried_apart_from_it() {
    let line = Vendor::new(1).root_line();
    let root = TrustRoot::install(&line, Some(sha256_of(&line))).unwrap();
    assert_eq!((root.version(), root.root().sha256()), (1, sha256_of(&line)));
    let other = sha256_of(&Vendor::new(2).root_line());
    assert_eq!(TrustRoot::install(&line, Some(other)).unwrap_err().code(), Code::TrustHash);
}

#[test]
fn a_first_root_needs_a_threshold_of_its_own_keys() {
    let vendor = Vendor::with_signers(1, Role::Root, 2);
    let content = vendor.root_json();
    let by = |keys: &[Key]| {
        TrustRoot::install(&line(DocumentType::Root, &content, keys), None)
            .map(|root| root.version())
            .map_err(|reason| reason.code())
    };
    assert_eq!(by(&vendor.root.keys), Ok(1));
    assert_eq!(by(&vendor.root.keys[..1]), Err(Code::SignatureThreshold));
    assert_eq!(by(&vendor.license.keys), Err(Code::SignatureKeyUnknown));
    assert_eq!(by(&[device()]), Err(Code::SignatureKeyUnknown));
}

#[test]
fn only_a_root_can_be_installed() {
    let vendor = Vendor::new(1);
    let code = |line: &[u8]| TrustRoot::install(line, None).unwrap_err().code();
    assert_eq!(code(&vendor.license_line(1)), Code::PayloadType);
    assert_eq!(code(b"not a line"), Code::EnvelopeMalformed);
}

#[test]
fn a_root_made_by_rotation_can_be_a_first_root_without_the_signatures_of_the_one_before() {
    let first = Vendor::new(1);
    let second = first.rotate(Role::Root);
    let rotated = second.root_line_after(&first);
    let root = TrustRoot::install(&rotated, None).unwrap();
    assert_eq!(root.root().signers().len(), 1);
    // Its fuller line is known at that site, and its chain goes on.
    let third = second.rotate(Role::Root);
    let site = Standing::with_trust(root);
    let plan = import(&site, &[&rotated, &third.root_line_after(&second)]).unwrap();
    assert_eq!(plan.lines[0].outcome, LineOutcome::Known);
    assert_eq!(plan.standing.root().unwrap().version(), 3);
}

#[test]
fn without_a_root_every_bundle_is_refused_also_one_that_brings_its_own() {
    let vendor = Vendor::new(1);
    for lines in [vec![vendor.license_line(1)], vec![vendor.root_line(), vendor.license_line(1)]] {
        assert_eq!(refusal(&Standing::default(), &lines), Code::TrustMissing);
    }
}

#[test]
fn a_foreign_first_root_in_a_bundle_is_no_second_trust() {
    let ours = Vendor::new(1);
    let thief = Vendor::new(66);
    assert_eq!(refusal(&ours.site(), &[thief.root_line()]), Code::TrustConflict);
    let both = [thief.root_line(), thief.license_line(1)];
    assert_eq!(refusal(&ours.site(), &both), Code::TrustConflict);
    // Also under our issuer's name, and also as the next version.
    let thief = Vendor { issuer: ours.issuer.clone(), ..thief };
    assert_eq!(refusal(&ours.site(), &[thief.root_line()]), Code::TrustConflict);
    assert_eq!(refusal(&ours.site(), &[thief.next().root_line()]), Code::SignatureThreshold);
}

#[test]
fn the_root_in_force_offered_again_is_known() {
    let vendor = Vendor::new(1);
    let plan = import(&vendor.site(), &[vendor.root_line(), vendor.license_line(1)]).unwrap();
    assert_eq!(plan.lines[0].outcome, LineOutcome::Known);
    assert_eq!(refusal(&vendor.site(), &[vendor.root_line()]), Code::BundleSuperseded);
}

#[test]
fn a_next_root_needs_thresholds_of_the_old_and_of_the_new_root_keys() {
    let first = Vendor::with_signers(1, Role::Root, 2);
    let second = first.rotate(Role::Root);
    let content = second.root_json();
    let old = first.root.keys.as_slice();
    let new = second.root.keys.as_slice();
    let by = |keys: &[&[Key]]| step(&first, &line(DocumentType::Root, &content, &keys.concat()));
    assert_eq!(by(&[old, new]), Ok(2));
    assert_eq!(by(&[new, old]), Ok(2));
    assert_eq!(by(&[new]), Err(Code::SignatureThreshold));
    assert_eq!(by(&[old]), Err(Code::SignatureThreshold));
    assert_eq!(by(&[&old[..1], new]), Err(Code::SignatureThreshold));
    assert_eq!(by(&[old, new, &first.license.keys]), Err(Code::SignatureWrongRole));
    assert_eq!(by(&[old, new, &[device()]]), Err(Code::SignatureKeyUnknown));
    assert_eq!(by(&[old, new, new]), Err(Code::SignatureInvalid));
}

#[test]
fn a_threshold_can_be_raised_and_lowered_only_by_the_old_one() {
    let mut first = Vendor::with_signers(1, Role::Root, 3);
    first.root.threshold = 2;
    let mut second = first.next();
    second.root.threshold = 1;
    let content = second.root_json();
    let by = |keys: &[Key]| step(&first, &line(DocumentType::Root, &content, keys));
    assert_eq!(by(&first.root.keys[..1]), Err(Code::SignatureThreshold));
    assert_eq!(by(&first.root.keys[1..]), Ok(2));
}

#[test]
fn a_root_follows_the_one_in_force_by_exactly_one() {
    let (first, lines) = chain(3);
    assert_eq!(refusal(&first.site(), &lines[1..2]), Code::TrustSkipped);
    assert_eq!(refusal(&first.site(), &lines[1..]), Code::TrustSkipped);
    assert_eq!(after(&first.site(), &lines).root().unwrap().version(), 4);
    // Signed by the right keys, and still a leap.
    let mut leap = first.next();
    leap.version = 3;
    assert_eq!(step(&first, &leap.root_line()), Err(Code::TrustSkipped));
    let mut same = first.clone();
    same.expires = "2033-01-01T00:00:00Z";
    assert_eq!(step(&first, &same.root_line()), Err(Code::TrustSkipped));
    let last = Vendor { version: LAST_NUMBER, ..first.clone() };
    assert_eq!(step(&first, &last.root_line()), Err(Code::TrustSkipped));
}

#[test]
fn a_site_that_slept_through_three_roots_walks_them_whatever_the_order_of_lines() {
    let (first, mut lines) = chain(3);
    lines.reverse();
    let plan = import(&first.site(), &lines).unwrap();
    assert_eq!(plan.standing.root().unwrap().version(), 4);
    assert_eq!(plan.lines.iter().map(|line| line.line).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(plan.lines[0].name, "root 4");
}

#[test]
fn an_expired_root_in_the_middle_of_a_chain_still_chains() {
    let first = Vendor { expires: "2027-03-01T00:00:00Z", ..Vendor::new(1) };
    let second = Vendor { expires: "2027-04-01T00:00:00Z", ..first.rotate(Role::Root) };
    let third = Vendor { expires: "2030-01-01T00:00:00Z", ..second.rotate(Role::Root) };
    let lines = [second.root_line_after(&first), third.root_line_after(&second)];
    assert_eq!(after(&first.site(), &lines).root().unwrap().version(), 3);
    assert_eq!(refusal(&first.site(), &lines[..1]), Code::TrustRootExpired);
}

#[test]
fn an_ended_root_takes_no_new_word_and_lets_what_stands_stand() {
    let vendor = Vendor { expires: "2027-06-01T12:00:00Z", ..Vendor::new(1) };
    let offer = [vendor.license_line(2)];
    let plan = |now: &str| plan_import(&vendor.site(), &bundle(&offer), None, at(now));
    assert_eq!(plan("2027-06-01T12:00:00Z").unwrap_err().code(), Code::TrustRootExpired);
    let standing = plan("2027-06-01T11:59:59.999Z").unwrap().standing;
    assert_eq!(refusal(&standing, &[vendor.license_line(3)]), Code::TrustRootExpired);
    assert_eq!(serials(&standing), [2]);
    let (again, refused) = Standing::reload(standing.lines());
    assert!(refused.is_empty());
    assert_eq!(serials(&again), [2]);
    // One newer root, and the site goes on.
    let next = Vendor { expires: "2030-01-01T00:00:00Z", ..vendor.next() };
    let lines = [next.root_line_after(&vendor), next.license_line(3)];
    assert_eq!(serials(&after(&standing, &lines)), [2, 3]);
}

#[test]
fn one_import_takes_64_root_steps_and_the_next_one_the_rest() {
    let steps = LIMITS.root_steps;
    let (first, lines) = chain(steps as u64 * 2 + 5);
    assert_eq!(refusal(&first.site(), &lines[..=steps]), Code::BundleTooLarge);
    let standing = after(&first.site(), &lines[..steps]);
    assert_eq!(standing.root().unwrap().version(), 65);
    // The bundle that was too long is taken now: its first 64 steps are known.
    let standing = after(&standing, &lines[..=steps]);
    assert_eq!(standing.root().unwrap().version(), 66);
    let standing = after(&standing, &lines[..2 * steps]);
    let standing = after(&standing, &lines[2 * steps..]);
    assert_eq!(standing.root().unwrap().version(), 134);
    // Not every root is kept; those that are reload.
    let (again, refused) = Standing::reload(standing.lines());
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(again.root().unwrap().version(), 134);
    assert_eq!(again.roots().len(), standing.roots().len());
}

#[test]
fn two_roots_of_one_version_are_a_conflict_in_one_bundle_and_over_two() {
    let first = Vendor::new(1);
    let one = first.next().root_line_after(&first);
    let two = Vendor { expires: "2033-01-01T00:00:00Z", ..first.next() }.root_line_after(&first);
    assert_eq!(refusal(&first.site(), &[&one, &two]), Code::BundleConflict);
    assert_eq!(refusal(&after(&first.site(), &[&one]), &[&two]), Code::BundleConflict);
}

#[test]
fn a_root_of_a_version_that_stands_is_not_known_unless_it_is_proven() {
    let first = Vendor::new(1);
    let second = first.next();
    let standing = after(&first.site(), &[second.root_line_after(&first)]);
    let forged = line(DocumentType::Root, &second.root_json(), &Vendor::new(66).root.keys);
    assert_eq!(refusal(&standing, &[forged]), Code::SignatureKeyUnknown);
}

#[test]
fn a_next_root_keeps_issuer_revoked_keys_and_roles() {
    let first = Vendor::new(1);
    let renamed = Vendor { issuer: Vendor::new(2).issuer, ..first.next() };
    assert_eq!(step(&first, &renamed.root_line()), Err(Code::TrustIssuer));

    let second = first.revoke(Role::Kernel);
    let third = second.next();
    assert_eq!(step(&second, &third.root_line()), Ok(3));
    let forgetful = Vendor { revoked: Default::default(), ..third.clone() };
    assert_eq!(step(&second, &forgetful.root_line()), Err(Code::RootInvalid));

    let mut moved = first.rotate(Role::License);
    moved.kernel = first.license.clone();
    assert_eq!(step(&first, &moved.root_line()), Err(Code::RootInvalid));
}

#[test]
fn a_key_that_was_away_comes_back_only_in_the_role_it_had() {
    let first = Vendor::new(1);
    let second = first.rotate(Role::License);
    let mut moved = second.rotate(Role::Revocation);
    moved.revocation = first.license.clone();
    let mut back = second.rotate(Role::License);
    back.license = first.license.clone();
    let (one, moved) = (second.root_line_after(&first), moved.root_line_after(&second));
    // In one bundle and over two.
    assert_eq!(refusal(&first.site(), &[one.clone(), moved.clone()]), Code::RootInvalid);
    assert_eq!(
        refusal(&after(&first.site(), std::slice::from_ref(&one)), &[moved]),
        Code::RootInvalid
    );
    let standing = after(&first.site(), &[one, back.root_line_after(&second)]);
    assert_eq!(standing.root().unwrap().version(), 3);
}

/// What stood before roots were held to the whole chain stands, and goes on.
#[test]
fn a_chain_that_moved_a_key_long_ago_reloads_and_takes_the_next_root() {
    let first = Vendor::new(1);
    let second = first.rotate(Role::License);
    let mut third = second.rotate(Role::Revocation);
    third.revocation = first.license.clone();
    let lines = [
        first.root_line(),
        second.root_line_after(&first),
        third.root_line_after(&second),
        third.revocations_line(1, &[]),
    ];
    let (standing, refused) = Standing::reload(lines.iter().map(Vec::as_slice));
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(standing.root().unwrap().version(), 3);
    let fourth = third.rotate(Role::Root);
    let standing = after(&standing, &[fourth.root_line_after(&third)]);
    assert_eq!(standing.root().unwrap().version(), 4);
    // The role it had last is the one it keeps.
    let fifth = fourth.rotate(Role::Revocation);
    let mut sixth = fifth.rotate(Role::License);
    sixth.license = first.license.clone();
    let lines = [fifth.root_line_after(&fourth), sixth.root_line_after(&fifth)];
    assert_eq!(refusal(&standing, &lines), Code::RootInvalid);
}

#[test]
fn a_root_cannot_give_a_role_to_a_key_it_revokes() {
    let first = Vendor::new(1);
    let mut second = first.next();
    second.revoked.insert(first.license.keys[0].id());
    assert_eq!(step(&first, &second.root_line()), Err(Code::PayloadMalformed));
}

#[test]
fn a_root_ends_after_it_was_made() {
    let vendor = Vendor { expires: "2027-01-01T00:00:00Z", ..Vendor::new(1) };
    let reason = TrustRoot::install(&vendor.root_line(), None).unwrap_err();
    assert_eq!(reason.code(), Code::PayloadMalformed);
}

#[test]
fn a_document_of_another_issuer_is_refused_though_our_key_signed_it() {
    let vendor = Vendor::new(1);
    let other = json!({ "issuer": Vendor::new(2).issuer });
    let license = vendor.sign_license(&with(vendor.license_json(1), other.clone()));
    assert_eq!(refusal(&vendor.site(), &[license]), Code::TrustIssuer);
    let revocations = with(vendor.revocations_json(1, &[]), other);
    let revocations = line(DocumentType::Revocations, &revocations, &vendor.revocation.keys);
    assert_eq!(refusal(&vendor.site(), &[revocations]), Code::TrustIssuer);
}

#[test]
fn a_site_that_slept_through_ten_rotations_catches_up_in_one_import() {
    let (first, mut lines) = chain(10);
    let newest = newest_of(&first, 10);
    lines.push(newest.license_line(2));
    let standing = after(&first.site(), &[first.license_line(1)]);
    let standing = after(&standing, &lines);
    assert_eq!(standing.root().unwrap().version(), 11);
    assert_eq!(serials(&standing), [1, 2]);
}

#[test]
fn a_hundred_rotations_take_two_imports_and_keep_what_stood() {
    let (first, mut lines) = chain(100);
    lines.push(newest_of(&first, 100).license_line(2));
    let standing = after(&first.site(), &[first.license_line(1), first.revocations_line(3, &[])]);
    let (code, line) = refused(import(&standing, &lines));
    assert_eq!((code, line), (Code::BundleTooLarge, Some(LIMITS.root_steps + 1)));
    let standing = after(&standing, &lines[..LIMITS.root_steps]);
    // The same file again: its first steps are known now.
    let plan = import(&standing, &lines).unwrap();
    assert_eq!(plan.fallen, [""; 0]);
    assert_eq!(plan.standing.root().unwrap().version(), 101);
    assert_eq!(serials(&plan.standing), [1, 2]);
    let (again, refused) = Standing::reload(plan.standing.lines());
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(again.to_bundle(), plan.standing.to_bundle());
}

#[test]
fn every_root_that_something_standing_needs_is_kept_however_long_the_chain() {
    let (first, lines) = chain_of(Role::License, 300);
    let walk = |mut standing: Standing, lines: &[Vec<u8>]| {
        for lines in lines.chunks(LIMITS.root_steps) {
            standing = after(&standing, lines);
        }
        standing
    };
    let before = after(&first.site(), &[first.license_line(1)]);
    let standing = walk(before, &lines);
    assert_eq!(standing.roots().len(), 301);
    let (again, refused) = Standing::reload(standing.lines());
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(serials(&again), [1]);
    // Where nothing needs them, the oldest go.
    let standing = walk(first.site(), &lines);
    assert_eq!(standing.roots().len(), 2 * LIMITS.root_steps);
    assert_eq!(Standing::reload(standing.lines()).0.root().unwrap().version(), 301);
}

/// A site whose package brought root 5, and the five roots.
fn site_at_root_5() -> (Vec<Vec<u8>>, Vendor, Standing) {
    let (first, mut roots) = chain(4);
    roots.insert(0, first.root_line());
    let site = Standing::with_trust(TrustRoot::install(&roots[4], None).unwrap());
    (roots, newest_of(&first, 4), site)
}

#[test]
fn roots_older_than_the_first_one_installed_are_skipped_and_shown() {
    use LineOutcome::{Known, New, Superseded};
    let (roots, fifth, site) = site_at_root_5();
    let offer = |older: &[Vec<u8>]| {
        let mut lines = older.to_vec();
        lines.push(fifth.license_line(1));
        let plan = import(&site, &lines).unwrap();
        assert_eq!(plan.standing.roots().len(), 1);
        plan.lines.iter().map(|line| line.outcome).collect::<Vec<_>>()
    };
    assert_eq!(offer(&roots), [Superseded, Superseded, Superseded, Superseded, Known, New]);
    assert_eq!(offer(&roots[2..3]), [Superseded, New]);
    assert_eq!(refusal(&site, &roots), Code::BundleSuperseded);
}

#[test]
fn a_root_older_than_the_first_one_installed_is_held_to_what_it_says_itself() {
    let (roots, fifth, site) = site_at_root_5();
    let offer = |older: Vec<u8>| refusal(&site, &[older, fifth.license_line(1)]);
    let first = Vendor::new(1);
    let by_others = line(DocumentType::Root, &first.root_json(), &first.license.keys);
    assert_eq!(offer(by_others), Code::SignatureKeyUnknown);
    assert_eq!(offer(Vendor::new(2).root_line()), Code::TrustIssuer);
    // Nor does a forged one lead to ours under its issuer's name.
    let forged = Vendor { issuer: first.issuer, version: 4, ..Vendor::new(66) }.root_line();
    assert_eq!(refusal(&site, &[forged, roots[4].clone()]), Code::SignatureKeyUnknown);
}

#[test]
fn no_bit_of_a_chain_from_its_beginning_is_free_at_a_site_that_began_later() {
    let (roots, fifth, site) = site_at_root_5();
    let license = fifth.license_line(1);
    // Of each byte another bit; all of them are flipped in tests/bit_flips.rs for lines that count.
    for at in 0..roots[1].len() {
        let mut flipped = roots[1].clone();
        flipped[at] ^= 1 << (at % 8);
        let lines = [&roots[0], &flipped, &roots[2], &license];
        assert!(import(&site, &lines).is_err(), "byte {at}");
    }
}

#[test]
fn the_newest_root_brings_the_kernels_certificate_authorities() {
    let first = Vendor::new(1);
    let ca = "22".repeat(32);
    let next = with(first.next().root_json(), json!({ "kernel_ca": [ca] }));
    let plan = import(&first.site(), &[line(DocumentType::Root, &next, &first.root.keys)]).unwrap();
    let pins = |standing: &Standing| standing.root().unwrap().root().kernel_ca.clone();
    assert_eq!(pins(&plan.standing), [ca.parse::<Sha256Digest>().unwrap()]);
    assert_eq!(pins(&first.site()), []);
}
