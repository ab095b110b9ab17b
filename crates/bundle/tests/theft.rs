//! A key is stolen, a line is stripped: what it costs, and the one new root that heals it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use farhold_bundle::{LineOutcome, SetAside, Standing, payload::*};
use farhold_contract::Code;
use serde_json::json;
use support::*;

fn generation(standing: &Standing) -> Option<u64> {
    standing.revocations().map(|revocations| revocations.generation.as_u64())
}

#[test]
fn a_stolen_license_key_that_signed_the_last_serial_costs_one_new_root() {
    let first = Vendor::new(1);
    let standing = after(&first.site(), &[first.license_line(5)]);
    let robbed = after(&standing, &[first.license_line(LAST_NUMBER)]);
    assert_eq!(refusal(&robbed, &[first.license_line(6)]), Code::BundleSuperseded);

    let second = first.revoke(Role::License);
    let plan = import(&robbed, &[second.root_line_after(&first), second.license_line(6)]).unwrap();
    assert_eq!(serials(&plan.standing), [6]);
    assert_eq!(plan.fallen.len(), 2);
    assert!(plan.fallen[1].ends_with("serial 9007199254740991"), "{:?}", plan.fallen);
    // The thief's key is worth nothing any more, and the line goes on from 6.
    assert_eq!(refusal(&plan.standing, &[first.license_line(7)]), Code::SignatureKeyRevoked);
    assert_eq!(serials(&after(&plan.standing, &[second.license_line(7)])), [6, 7]);
}

#[test]
fn the_mark_falls_even_where_nothing_is_issued_anew() {
    let first = Vendor::new(1);
    let robbed = after(&first.site(), &[first.license_line(LAST_NUMBER)]);
    let second = first.revoke(Role::License);
    let standing = after(&robbed, &[second.root_line_after(&first)]);
    assert_eq!(serials(&standing), [0_u64; 0]);
    assert_eq!(serials(&after(&standing, &[second.license_line(1)])), [1]);
}

#[test]
fn a_stolen_revocation_key_that_signed_the_last_generation_costs_one_new_root() {
    let first = Vendor::new(1);
    let standing = after(&first.site(), &[first.license_line(5), first.revocations_line(3, &[])]);
    let poison = first.revocations_line(LAST_NUMBER, &[license_id(1)]);
    let robbed = after(&standing, &[poison]);
    assert!(robbed.revokes(&robbed.licenses()[0]));

    let second = first.revoke(Role::Revocation);
    let lines = [second.root_line_after(&first), second.revocations_line(4, &[])];
    let plan = import(&robbed, &lines).unwrap();
    assert_eq!(generation(&plan.standing), Some(4));
    assert_eq!(plan.fallen, ["revocations generation 9007199254740991"]);
    assert!(!plan.standing.revokes(&plan.standing.licenses()[0]));
    // The root alone is enough to undo it.
    assert_eq!(generation(&after(&robbed, &lines[..1])), None);
}

#[test]
fn a_stolen_revocation_keys_last_floor_of_serials_falls_with_it() {
    let first = Vendor::new(1);
    let below = json!({ "serials_below": [
        { "tenant_id": TENANT_A, "product": "courses", "serial": LAST_NUMBER },
    ] });
    let content = with(first.revocations_json(7, &[]), below);
    let poison = line(DocumentType::Revocations, &content, &first.revocation.keys);
    let robbed = after(&first.site(), &[first.license_line(5), poison]);
    assert!(robbed.revokes(&robbed.licenses()[0]));
    let second = first.revoke(Role::Revocation);
    let healed = after(&robbed, &[second.root_line_after(&first)]);
    assert!(!healed.revokes(&healed.licenses()[0]));
}

#[test]
fn a_rotated_keys_license_stays_and_the_key_signs_nothing_new() {
    let first = Vendor::new(1);
    let standing = after(&first.site(), &[first.license_line(1), first.revocations_line(1, &[])]);
    let second = first.rotate(Role::License).rotate(Role::Revocation);
    let second = Vendor { version: 2, ..second };
    let plan = import(&standing, &[second.root_line_after(&first)]).unwrap();
    assert!(plan.fallen.is_empty());
    assert_eq!(serials(&plan.standing), [1]);
    assert_eq!(generation(&plan.standing), Some(1));
    assert_eq!(refusal(&plan.standing, &[first.license_line(2)]), Code::SignatureKeyUnknown);
    let late = first.revocations_line(2, &[license_id(1)]);
    assert_eq!(refusal(&plan.standing, &[late]), Code::SignatureKeyUnknown);
    // The old line is still known, and the new key goes on from its serial.
    let renewed = import(&plan.standing, &[first.license_line(1), second.license_line(2)]).unwrap();
    assert_eq!(renewed.lines[0].outcome, LineOutcome::Known);
    assert_eq!(serials(&renewed.standing), [1, 2]);
}

#[test]
fn a_key_rotated_first_and_revoked_later_takes_its_license_with_it() {
    let first = Vendor::new(1);
    let second = first.rotate(Role::License);
    let mut third = second.next();
    third.revoked.insert(first.license.keys[0].id());
    let lines = [second.root_line_after(&first), second.license_line(2)];
    let standing = after(&after(&first.site(), &[first.license_line(1)]), &lines);
    assert_eq!(serials(&standing), [1, 2]);
    let plan = import(&standing, &[third.root_line_after(&second)]).unwrap();
    assert_eq!(serials(&plan.standing), [2]);
    assert_eq!(plan.fallen.len(), 1);
}

#[test]
fn the_license_before_comes_back_when_the_stolen_keys_one_falls() {
    let first = Vendor::new(1);
    let second = first.rotate(Role::License);
    let lines = [second.root_line_after(&first), second.license_line(LAST_NUMBER)];
    let robbed = after(&after(&first.site(), &[first.license_line(5)]), &lines);
    assert_eq!(serials(&robbed), [5, LAST_NUMBER]);
    let third = second.revoke(Role::License);
    assert_eq!(serials(&after(&robbed, &[third.root_line_after(&second)])), [5]);
}

#[test]
fn a_stolen_key_cannot_push_out_what_another_key_signed() {
    let mut first = Vendor::with_signers(1, Role::License, 2);
    first.license.threshold = 1;
    let by = |key: usize, serial| {
        let content = first.license_json(serial);
        line(DocumentType::License, &content, &first.license.keys[key..=key])
    };
    let stolen: Vec<_> = (2..=40).map(|serial| by(1, serial)).collect();
    let robbed = after(&after(&first.site(), &[by(0, 1)]), &stolen);
    // Its own it pushes out.
    assert_eq!(serials(&robbed), std::iter::once(1).chain(25..=40).collect::<Vec<_>>());

    let mut second = first.next();
    second.revoked.insert(second.license.keys.remove(1).id());
    assert_eq!(serials(&after(&robbed, &[second.root_line_after(&first)])), [1]);
}

#[test]
fn a_license_stays_as_long_as_enough_of_its_signers_are_not_revoked() {
    for (threshold, stays) in [(1, true), (2, true), (3, false)] {
        let mut first = Vendor::with_signers(1, Role::License, 3);
        first.license.threshold = threshold;
        let standing = after(&first.site(), &[first.license_line(1)]);
        let mut second = first.rotate(Role::License);
        let stolen = &first.license.keys[0];
        second.revoked.insert(stolen.id());
        let plan = import(&standing, &[second.root_line_after(&first)]).unwrap();
        assert_eq!(serials(&plan.standing).len(), usize::from(stays), "threshold {threshold}");
        assert_eq!(plan.fallen.is_empty(), stays);
        if stays {
            let license = &plan.standing.licenses()[0];
            assert_eq!(license.signers().len(), 2);
            assert!(!license.signers().contains(&stolen.id()));
        }
    }
}

#[test]
fn a_thiefs_license_in_the_very_bundle_that_revokes_the_key_is_refused() {
    let first = Vendor::new(1);
    let second = first.revoke(Role::License);
    let lines = [first.license_line(LAST_NUMBER), second.root_line_after(&first)];
    assert_eq!(refusal(&first.site(), &lines), Code::SignatureKeyRevoked);
}

#[test]
fn a_stolen_key_below_the_threshold_signs_nothing() {
    let vendor = Vendor::with_signers(1, Role::License, 2);
    let alone = line(DocumentType::License, &vendor.license_json(9), &vendor.license.keys[..1]);
    assert_eq!(refusal(&vendor.site(), &[alone]), Code::SignatureThreshold);
}

#[test]
fn a_stolen_license_key_reaches_no_other_role() {
    let vendor = Vendor::new(1);
    let stolen = vendor.license.keys.as_slice();
    let root = line(DocumentType::Root, &vendor.next().root_json(), stolen);
    assert_eq!(refusal(&vendor.site(), &[root]), Code::SignatureWrongRole);
    let list = line(DocumentType::Revocations, &vendor.revocations_json(1, &[]), stolen);
    assert_eq!(refusal(&vendor.site(), &[list]), Code::SignatureWrongRole);
}

#[test]
fn a_stripped_revocation_line_is_missed() {
    let vendor = Vendor::new(1);
    let needs = |revocations: u64, root: u64| {
        let needs = json!({ "needs": { "revocations": revocations, "root": root } });
        vendor.sign_license(&with(vendor.license_json(2), needs))
    };
    let revocations = vendor.revocations_line(4, &[license_id(9)]);
    let code = |lines: &[Vec<u8>]| refused(import_at_site(&vendor.site(), lines));
    import_at_site(&vendor.site(), &[needs(4, 1), revocations.clone()]).unwrap();
    assert_eq!(code(&[needs(4, 1)]), (Code::BundleIncomplete, Some(1)));
    assert_eq!(code(&[revocations.clone(), needs(5, 1)]), (Code::BundleIncomplete, Some(2)));
    assert_eq!(code(&[needs(0, 2)]), (Code::BundleIncomplete, Some(1)));
    // A site that stands there already needs nothing more.
    let standing = after(&vendor.site(), &[revocations]);
    import_at_site(&standing, &[needs(4, 0)]).unwrap();
}

#[test]
fn needs_are_measured_after_the_fall_of_a_stolen_generation() {
    let first = Vendor::new(1);
    let robbed = after(&first.site(), &[first.revocations_line(LAST_NUMBER, &[])]);
    let second = first.revoke(Role::Revocation);
    let license = with(second.license_json(1), json!({ "needs": { "revocations": 4 } }));
    let license = second.sign_license(&license);
    let root = second.root_line_after(&first);
    let (code, line) = refused(import_at_site(&robbed, &[&root, &license]));
    assert_eq!((code, line), (Code::BundleIncomplete, Some(2)));
    let list = second.revocations_line(4, &[]);
    import_at_site(&robbed, &[&root, &license, &list]).unwrap();
}

#[test]
fn a_stolen_device_key_issues_nothing() {
    let vendor = Vendor::new(1);
    let device = [device()];
    let license = line(DocumentType::License, &vendor.license_json(1), &device);
    assert_eq!(refusal(&vendor.site(), &[license]), Code::SignatureKeyUnknown);
}

#[test]
fn the_floor_of_time_falls_with_the_document_that_raised_it() {
    let first = Vendor::new(1);
    let future = json!({ "issued_at": "2031-01-01T00:00:00Z" });
    let wild = first.sign_license(&with(first.license_json(9), future));
    let robbed = after(&first.site(), &[first.license_line(1), wild]);
    assert_eq!(robbed.floor(&SetAside::new()), at("2031-01-01T00:00:00Z"));
    // A clock reset shows it to be wrong before it falls.
    assert_eq!(
        robbed.floor(&robbed.dated_after(at("2027-02-01T00:00:00Z"))),
        at("2027-01-01T00:00:00Z")
    );
    let second = first.revoke(Role::License);
    let healed = after(&robbed, &[second.root_line_after(&first)]);
    assert_eq!(healed.floor(&SetAside::new()), at("2027-01-01T00:00:00Z"));
}

#[test]
fn what_comes_after_a_clock_reset_raises_the_floor_again() {
    let vendor = Vendor::new(1);
    let dated = |serial, issued_at: &str| {
        let content = with(vendor.license_json(serial), json!({ "issued_at": issued_at }));
        vendor.sign_license(&content)
    };
    let other_line = |issued_at: &str| {
        let changes = json!({
            "product": "labs",
            "license_id": license_id(2),
            "entitlements": [],
            "issued_at": issued_at,
        });
        vendor.sign_license(&with(vendor.license_json(1), changes))
    };
    let wrong = after(&vendor.site(), &[dated(1, "2072-01-01T00:00:00Z")]);
    let set_aside = wrong.dated_after(at("2027-02-01T00:00:00Z"));
    assert_eq!(wrong.floor(&set_aside), at("2027-01-01T00:00:00Z"));
    // Of another line: the one set aside is still the newest of its own.
    let later = after(&wrong, &[other_line("2027-09-01T00:00:00Z")]);
    let set_aside = later.still_set_aside(&set_aside);
    assert_eq!(set_aside.len(), 1);
    assert_eq!(later.floor(&set_aside), at("2027-09-01T00:00:00Z"));
    // Replaced, and superseded: it is still set aside if it came back.
    let right = after(&later, &[dated(2, "2028-03-01T00:00:00Z")]);
    let set_aside = right.still_set_aside(&set_aside);
    assert_eq!(set_aside.len(), 1);
    assert_eq!(right.floor(&set_aside), at("2028-03-01T00:00:00Z"));
    // What no longer stands is forgotten.
    let second = vendor.revoke(Role::License);
    let fallen = after(&right, &[second.root_line_after(&vendor)]);
    assert_eq!(fallen.still_set_aside(&set_aside), SetAside::new());
}

#[test]
fn a_clock_reset_sets_aside_a_root_and_revocations_too() {
    let first = Vendor::new(1);
    let second = Vendor { issued_at: "2072-01-01T00:00:00Z", ..first.next() };
    let list =
        with(second.revocations_json(1, &[]), json!({ "issued_at": "2071-01-01T00:00:00Z" }));
    let list = line(DocumentType::Revocations, &list, &second.revocation.keys);
    let standing =
        after(&first.site(), &[second.root_line_after(&first), list, second.license_line(1)]);
    let set_aside = standing.dated_after(at("2027-02-01T00:00:00Z"));
    assert_eq!(set_aside.len(), 2);
    assert_eq!(standing.floor(&set_aside), at("2027-01-02T00:00:00Z"));
}

#[test]
fn a_revoked_license_raises_no_floor() {
    let vendor = Vendor::new(1);
    let future = json!({ "issued_at": "2031-01-01T00:00:00Z" });
    let wild = vendor.sign_license(&with(vendor.license_json(9), future));
    let standing = after(&vendor.site(), &[wild, vendor.revocations_line(1, &[license_id(1)])]);
    assert_eq!(standing.floor(&SetAside::new()), at("2027-01-03T00:00:00Z"));
}

#[test]
fn the_list_before_comes_back_when_the_stolen_keys_one_falls() {
    let mut first = Vendor::with_signers(1, Role::Revocation, 2);
    first.revocation.threshold = 1;
    let by = |n: usize, generation, ids: &[String]| {
        let content = first.revocations_json(generation, ids);
        line(DocumentType::Revocations, &content, &first.revocation.keys[n..=n])
    };
    let standing = after(&first.site(), &[first.license_line(5), by(0, 3, &[license_id(1)])]);
    let robbed = after(&standing, &[by(1, LAST_NUMBER, &[])]);
    assert!(!robbed.revokes(&robbed.licenses()[0]));
    let mut second = first.next();
    let stolen = second.revocation.keys.remove(1);
    second.revoked.insert(stolen.id());
    let plan = import(&robbed, &[second.root_line_after(&first)]).unwrap();
    assert_eq!(plan.fallen, ["revocations generation 9007199254740991"]);
    assert_eq!(generation(&plan.standing), Some(3));
    assert!(plan.standing.revokes(&plan.standing.licenses()[0]));
    // The second copy has it, too.
    let (again, refused) = Standing::reload(robbed.lines());
    assert!(refused.is_empty());
    let healed = after(&again, &[second.root_line_after(&first)]);
    assert_eq!(generation(&healed), Some(3));
}

#[test]
fn of_one_key_only_the_newest_list_is_kept_and_of_several_a_few() {
    let mut vendor = Vendor::with_signers(1, Role::Revocation, 6);
    vendor.revocation.threshold = 1;
    let by = |n: usize, generation| {
        let content = vendor.revocations_json(generation, &[]);
        line(DocumentType::Revocations, &content, &vendor.revocation.keys[n..=n])
    };
    let kept = |lists: &[Vec<u8>]| after(&vendor.site(), lists).lines().count() - 1;
    assert_eq!(kept(&[by(0, 1), by(0, 2), by(0, 3)]), 1);
    assert_eq!(kept(&[by(0, 1), by(1, 2), by(0, 3)]), 2);
    let lists: Vec<_> = (0..6).map(|n| by(n, n as u64 + 1)).collect();
    assert_eq!(kept(&lists), 4);
    // A list that stands beside the one in force is superseded, and still one list.
    let standing = after(&vendor.site(), &[by(0, 1), by(1, 2)]);
    assert_eq!(refusal(&standing, &[by(0, 1)]), Code::BundleSuperseded);
    let other = vendor.revocations_json(1, &[license_id(9)]);
    let other = line(DocumentType::Revocations, &other, &vendor.revocation.keys[..1]);
    assert_eq!(refusal(&standing, &[other]), Code::BundleConflict);
}
