//! What comes when: numbers only rise, one number is one document, all or nothing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use std::collections::BTreeMap;

use farhold_bundle::{LineOutcome, Standing, payload::*, plan_import};
use farhold_contract::Code;
use proptest::prelude::*;
use serde_json::json;
use support::*;

fn outcomes<L: AsRef<[u8]>>(standing: &Standing, lines: &[L]) -> Vec<LineOutcome> {
    import(standing, lines).unwrap().lines.iter().map(|line| line.outcome).collect()
}

/// The same serial with other content.
fn variant(vendor: &Vendor, serial: u64, variant: u8) -> Vec<u8> {
    let to = json!({ "issued_to": format!("Example School {variant}") });
    vendor.sign_license(&with(vendor.license_json(serial), to))
}

#[test]
fn an_older_serial_alone_is_superseded_and_beside_news_skipped_and_shown() {
    let vendor = Vendor::new(1);
    let standing = after(&vendor.site(), &[vendor.license_line(5)]);
    assert_eq!(refusal(&standing, &[vendor.license_line(4)]), Code::BundleSuperseded);
    assert_eq!(refusal(&standing, &[vendor.license_line(5)]), Code::BundleSuperseded);
    let lines = [vendor.license_line(6), vendor.license_line(5), vendor.license_line(4)];
    assert_eq!(
        outcomes(&standing, &lines),
        [LineOutcome::New, LineOutcome::Known, LineOutcome::Superseded]
    );
    assert_eq!(serials(&after(&standing, &lines)), [5, 6]);
}

#[test]
fn an_older_serial_that_never_stood_must_verify_all_the_same() {
    let vendor = Vendor::new(1);
    let standing = after(&vendor.site(), &[vendor.license_line(5)]);
    let forged =
        line(DocumentType::License, &vendor.license_json(4), &Vendor::new(66).license.keys);
    assert_eq!(refusal(&standing, &[forged, vendor.license_line(6)]), Code::SignatureKeyUnknown);
}

#[test]
fn the_same_serial_with_other_content_refuses_the_bundle() {
    let vendor = Vendor::new(1);
    let standing = after(&vendor.site(), &[vendor.license_line(5)]);
    assert_eq!(refusal(&standing, &[variant(&vendor, 5, 1)]), Code::BundleConflict);
    let beside_news = [vendor.license_line(6), variant(&vendor, 5, 1)];
    assert_eq!(refusal(&standing, &beside_news), Code::BundleConflict);
    let in_one_bundle = [variant(&vendor, 7, 1), variant(&vendor, 7, 2)];
    assert_eq!(refusal(&standing, &in_one_bundle), Code::BundleConflict);
}

#[test]
fn the_same_document_with_other_signatures_is_known() {
    let mut vendor = Vendor::with_signers(1, Role::License, 2);
    vendor.license.threshold = 1;
    let content = vendor.license_json(5);
    let by = |keys: &[Key]| line(DocumentType::License, &content, keys);
    let standing = after(&vendor.site(), &[by(&vendor.license.keys[..1])]);
    let again = [by(&vendor.license.keys[1..]), vendor.license_line(6)];
    assert_eq!(outcomes(&standing, &again), [LineOutcome::Known, LineOutcome::New]);
}

#[test]
fn older_revocations_are_superseded_and_the_same_generation_with_other_content_conflicts() {
    let vendor = Vendor::new(1);
    let list = |generation, ids: &[u8]| {
        let ids: Vec<_> = ids.iter().map(|&id| license_id(id)).collect();
        vendor.revocations_line(generation, &ids)
    };
    let standing = after(&vendor.site(), &[list(5, &[1, 2])]);
    assert_eq!(refusal(&standing, &[list(4, &[])]), Code::BundleSuperseded);
    assert_eq!(refusal(&standing, &[list(5, &[1, 2])]), Code::BundleSuperseded);
    assert_eq!(refusal(&standing, &[list(5, &[1])]), Code::BundleConflict);
    // Generations leap; a newer list replaces the whole older one.
    let standing = after(&standing, &[list(9, &[2])]);
    let revocations = standing.revocations().unwrap();
    assert_eq!((revocations.generation.as_u64(), revocations.licenses.len()), (9, 1));
}

#[test]
fn a_refused_bundle_names_the_line_and_changes_nothing() {
    let first = Vendor::new(1);
    let second = first.rotate(Role::License);
    let standing = after(&first.site(), &[first.license_line(1)]);
    let before = standing.to_bundle();
    let mut broken = second.license_line(2);
    let last = broken.len() - 10;
    broken[last] ^= 1;
    let lines =
        [second.revocations_line(3, &[license_id(9)]), second.root_line_after(&first), broken];
    let (code, line) = refused(import(&standing, &lines));
    assert_eq!((code, line), (Code::SignatureInvalid, Some(3)));
    assert_eq!(standing.to_bundle(), before);
}

#[test]
fn a_license_imported_early_waits_beside_the_one_in_force() {
    let vendor = Vendor::new(1);
    let next_year = json!({ "not_before": "2028-01-01T00:00:00Z", "expires_on": "2029-01-31" });
    let renewal = vendor.sign_license(&with(vendor.license_json(2), next_year));
    let standing = after(&vendor.site(), &[vendor.license_line(1), renewal]);
    assert_eq!(serials(&standing), [1, 2]);
}

#[test]
fn an_import_while_everything_has_ended_is_taken() {
    let vendor = Vendor::new(1);
    let standing = after(&vendor.site(), &[vendor.license_line(1)]);
    let late = at("2031-06-01T00:00:00Z");
    let renewal = with(vendor.license_json(2), json!({ "expires_on": "2031-12-31" }));
    let plan =
        plan_import(&standing, &bundle(&[vendor.sign_license(&renewal)]), None, late).unwrap();
    assert_eq!(serials(&plan.standing), [1, 2]);
}

#[test]
fn each_product_and_each_organization_has_its_own_line() {
    let vendor = Vendor::new(1);
    let of = |serial, changes| vendor.sign_license(&with(vendor.license_json(serial), changes));
    let labs = json!({ "product": "labs", "license_id": license_id(2), "entitlements": [] });
    let mut other_tenant = vendor.license_json(1)["tenant"].clone();
    other_tenant["tenant_id"] = json!(TENANT_B);
    let other = json!({ "tenant": other_tenant, "license_id": license_id(3) });
    let lines = [of(7, json!({})), of(1, labs), of(1, other)];
    let standing = after(&vendor.site(), &lines);
    assert_eq!(serials(&standing), [7, 1, 1]);
}

#[test]
fn a_line_keeps_its_last_16_serials() {
    let vendor = Vendor::new(1);
    let lines: Vec<_> = (1..=20).map(|serial| vendor.license_line(serial)).collect();
    let standing = after(&vendor.site(), &lines);
    assert_eq!(serials(&standing), (5..=20).collect::<Vec<_>>());
    // One that is no longer kept is superseded, and another of its number can't be told from it.
    let plan = import(&standing, &[variant(&vendor, 1, 1), vendor.license_line(21)]).unwrap();
    assert_eq!(plan.lines[0].outcome, LineOutcome::Superseded);
}

#[test]
fn licenses_of_many_machines_do_not_push_each_other_out() {
    let vendor = Vendor::new(1);
    let bound = |serial, machine: u64| {
        let binding = json!({ "fingerprint": {
            "components": { "machine_id": format!("{machine:016x}") }, "require": 1,
        } });
        vendor.sign_license(&with(vendor.license_json(serial), json!({ "binding": binding })))
    };
    let mut lines: Vec<_> = (1..=40).map(|serial| bound(serial, serial)).collect();
    assert_eq!(serials(&after(&vendor.site(), &lines)), (1..=40).collect::<Vec<_>>());
    // Of one machine's, the last 16 are kept.
    lines.extend((41..=60).map(|serial| bound(serial, 7)));
    let kept: Vec<_> = (1..=40).filter(|&serial| serial != 7).chain(45..=60).collect();
    assert_eq!(serials(&after(&vendor.site(), &lines)), kept);
}

#[test]
fn the_last_serial_is_a_serial() {
    let vendor = Vendor::new(1);
    let standing = after(&vendor.site(), &[vendor.license_line(LAST_NUMBER)]);
    assert_eq!(refusal(&standing, &[vendor.license_line(1)]), Code::BundleSuperseded);
    let (_, _, height) = standing.height();
    assert_eq!(height, LAST_NUMBER);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The lines of a bundle are a set: what stands after does not depend on their order.
    #[test]
    fn the_order_of_lines_never_matters(order in Just((0..7).collect::<Vec<usize>>()).prop_shuffle()) {
        let first = Vendor::new(1);
        let second = first.rotate(Role::Root);
        let third = second.rotate(Role::License);
        let lines = [
            second.root_line_after(&first),
            third.root_line_after(&second),
            third.revocations_line(1, &[license_id(7)]),
            third.revocations_line(2, &[license_id(8)]),
            third.license_line(1),
            third.license_line(2),
            third.receipt_line(&device()),
        ];
        let shuffled: Vec<_> = order.iter().map(|&at| &lines[at]).collect();
        let plan = import(&first.site(), &shuffled).unwrap();
        prop_assert_eq!(plan.standing.to_bundle(), after(&first.site(), &lines).to_bundle());
        prop_assert_eq!(plan.receipts.len(), 1);
        let numbers: Vec<_> = plan.lines.iter().map(|line| line.line).collect();
        prop_assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    }

    /// Against a model: a line of licenses is a map from serial to content whose last entry only rises.
    #[test]
    fn a_line_only_rises_and_never_changes_what_it_holds(
        offers in proptest::collection::vec((1_u64..12, 0_u8..2), 1..12),
    ) {
        let vendor = Vendor::new(1);
        let mut standing = vendor.site();
        let mut model: BTreeMap<u64, u8> = BTreeMap::new();
        for (serial, content) in offers {
            let newest = model.last_key_value().map_or(0, |(&newest, _)| newest);
            let expected = match model.get(&serial) {
                _ if serial > newest => Ok(()),
                Some(&held) if held != content => Err(Code::BundleConflict),
                _ => Err(Code::BundleSuperseded),
            };
            let offered = import(&standing, &[variant(&vendor, serial, content)]);
            prop_assert_eq!(offered.as_ref().map(|_| ()).map_err(|refusal| refusal.code()), expected);
            if let Ok(plan) = offered {
                standing = plan.standing;
                model.insert(serial, content);
            }
            prop_assert_eq!(serials(&standing), model.keys().copied().collect::<Vec<_>>());
        }
    }
}
