//! What stood comes back from its own lines, verified again, and a torn line takes no other down.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use farhold_bundle::{Standing, payload::*};
use farhold_contract::Code;
use support::*;

fn reload<L: AsRef<[u8]>>(lines: &[L]) -> (Standing, Vec<Code>) {
    let (standing, refused) = Standing::reload(lines.iter().map(AsRef::as_ref));
    (standing, refused.iter().map(farhold_bundle::RefusalReason::code).collect())
}

fn lines_of(standing: &Standing) -> Vec<Vec<u8>> {
    standing.lines().map(<[u8]>::to_vec).collect()
}

/// A site with two roots, revocations, and licenses by an old and a new key.
fn lived_in() -> (Vendor, Vendor, Standing) {
    let first = Vendor::new(1);
    let second = first.rotate(Role::License);
    let standing = after(&first.site(), &[first.license_line(1), first.revocations_line(2, &[])]);
    let standing = after(&standing, &[second.root_line_after(&first), second.license_line(2)]);
    (first, second, standing)
}

#[test]
fn a_standing_reloads_from_its_own_lines_with_a_rotated_keys_documents() {
    let (_, _, standing) = lived_in();
    let (again, refused) = reload(&lines_of(&standing));
    assert_eq!(refused, []);
    assert_eq!(again.to_bundle(), standing.to_bundle());
    assert_eq!(again.height(), standing.height());
    assert_eq!(serials(&again), [1, 2]);
    let lines: Vec<_> = standing.to_bundle().split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    assert_eq!(lines[..lines.len() - 1], lines_of(&standing));
}

#[test]
fn a_revoked_keys_document_is_left_out_with_its_reason() {
    let (first, second, standing) = lived_in();
    let mut third = second.next();
    third.revoked.insert(first.license.keys[0].id());
    // A second copy that was not rewritten after the revocation.
    let mut lines = lines_of(&standing);
    lines.insert(2, third.root_line_after(&second));
    let (again, refused) = reload(&lines);
    assert_eq!(refused, [Code::SignatureKeyRevoked]);
    assert_eq!(serials(&again), [2]);
    assert_eq!(again.root().unwrap().version(), 3);
}

#[test]
fn a_license_that_stands_by_its_other_signatures_reloads() {
    let mut first = Vendor::with_signers(1, Role::License, 2);
    first.license.threshold = 1;
    let mut second = first.next();
    second.revoked.insert(second.license.keys.remove(0).id());
    let full_line = first.license_line(1);
    let lines = [first.root_line(), second.root_line_after(&first), full_line.clone()];
    let (standing, refused) = reload(&lines);
    assert_eq!(refused, []);
    assert_eq!(standing.licenses()[0].signers().len(), 1);
    assert_ne!(standing.licenses()[0].line(), full_line);
    assert_eq!(reload(&lines_of(&standing)).1, []);
}

#[test]
fn a_torn_line_is_left_out_and_the_others_serve() {
    let (_, _, standing) = lived_in();
    let whole = lines_of(&standing);
    for torn in 2..whole.len() {
        let mut lines = whole.clone();
        let half = lines[torn].len() / 2;
        lines[torn].truncate(half);
        let (again, refused) = reload(&lines);
        assert_eq!(refused, [Code::EnvelopeMalformed], "line {torn}");
        assert_eq!(again.lines().count(), whole.len() - 1);
        let mut lines = whole.clone();
        let at = lines[torn].len() - 20;
        lines[torn][at] = if lines[torn][at] == b'A' { b'B' } else { b'A' };
        assert_eq!(reload(&lines).1.len(), 1, "line {torn}");
    }
}

#[test]
fn without_its_first_root_nothing_reloads() {
    let (_, _, standing) = lived_in();
    let lines = lines_of(&standing);
    let documents = &lines[2..];
    let (again, refused) = reload(documents);
    assert!(again.root().is_none());
    assert_eq!(refused, vec![Code::TrustMissing; documents.len()]);
    assert_eq!(again.height(), (0, 0, 0));
}

#[test]
fn a_torn_second_root_leaves_the_first_and_what_it_proves() {
    let (_, _, standing) = lived_in();
    let mut lines = lines_of(&standing);
    lines[1].pop();
    let (again, refused) = reload(&lines);
    // The license by the new key needs the torn root; the old key's one and the list do not.
    assert_eq!(refused, [Code::EnvelopeMalformed, Code::SignatureKeyUnknown]);
    assert_eq!(serials(&again), [1]);
    assert!(again.revocations().is_some());
}

#[test]
fn what_does_not_stand_does_not_reload() {
    let vendor = Vendor::new(1);
    let lines = [vendor.root_line(), vendor.receipt_line(&device()), vendor.license_line(1)];
    let (again, refused) = reload(&lines);
    assert_eq!(refused, [Code::PayloadType]);
    assert_eq!(serials(&again), [1]);
}

#[test]
fn of_two_copies_the_one_that_went_on_is_higher() {
    let (first, second, standing) = lived_in();
    let before = after(&first.site(), &[first.license_line(1)]);
    assert!(standing.height() > before.height());
    assert!(after(&standing, &[second.license_line(3)]).height() > standing.height());
    assert!(after(&standing, &[second.revocations_line(3, &[])]).height() > standing.height());
    // Also where the newer copy holds less, because a stolen key's last serial fell.
    let robbed = after(&standing, &[second.license_line(LAST_NUMBER)]);
    let third = second.revoke(Role::License);
    let healed = after(&robbed, &[third.root_line_after(&second)]);
    assert!(healed.height() > robbed.height());
}

#[test]
fn licenses_reload_sorted_whatever_the_order_of_their_lines() {
    let vendor = Vendor::new(1);
    let lines = [
        vendor.root_line(),
        vendor.license_line(3),
        vendor.license_line(1),
        vendor.license_line(2),
    ];
    let (again, _) = reload(&lines);
    assert_eq!(serials(&again), [1, 2, 3]);
}

#[test]
fn no_lines_are_an_empty_standing() {
    let (standing, refused) = reload::<&[u8]>(&[]);
    assert!(standing.root().is_none() && refused.is_empty());
    assert_eq!(standing.to_bundle(), b"");
}
