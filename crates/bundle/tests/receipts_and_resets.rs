//! Receipts and clock resets: verified with the bundle, judged by whom they are for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use farhold_bundle::{LineOutcome, SiteFacts, payload::Role, plan_import};
use farhold_contract::Code;
use support::*;

fn waiting_site() -> SiteFacts {
    SiteFacts { open_nonce: Some(NONCE.into()), ..site_facts() }
}

fn refused_at(site: &SiteFacts, lines: &[Vec<u8>]) -> Code {
    refused(plan_import(&Vendor::new(1).site(), &bundle(lines), Some(site), now())).0
}

#[test]
fn a_receipt_alone_is_something_to_import() {
    let vendor = Vendor::new(1);
    let plan = import_at_site(&vendor.site(), &[vendor.receipt_line(&device())]).unwrap();
    assert_eq!(plan.lines[0].outcome, LineOutcome::New);
    assert_eq!(plan.lines[0].name, "receipt to record 600");
    assert_eq!(plan.receipts[0].seq.as_u64(), 600);
    // It stands nowhere: the standing is what it was.
    assert_eq!(plan.standing.to_bundle(), vendor.site().to_bundle());
}

#[test]
fn a_receipt_of_another_agent_is_foreign() {
    let vendor = Vendor::new(1);
    let foreign = vendor.receipt_line(&Key::new(b"another device"));
    assert_eq!(refused_at(&site_facts(), &[vendor.license_line(1), foreign]), Code::ReceiptForeign);
}

#[test]
fn several_receipts_come_in_one_bundle() {
    let vendor = Vendor::new(1);
    let receipt = vendor.receipt_line(&device());
    let plan = import_at_site(&vendor.site(), &[receipt.clone(), receipt]).unwrap();
    assert_eq!(plan.receipts.len(), 2);
}

#[test]
fn a_receipt_by_a_rotated_kernel_key_is_no_new_word() {
    let first = Vendor::new(1);
    let second = first.rotate(Role::Kernel);
    let standing = after(&first.site(), &[second.root_line_after(&first)]);
    let receipt = first.receipt_line(&device());
    assert_eq!(refused(import_at_site(&standing, &[receipt])).0, Code::SignatureKeyUnknown);
    import_at_site(&standing, &[second.receipt_line(&device())]).unwrap();
}

#[test]
fn the_kernel_role_may_have_several_keys_of_which_any_one_signs() {
    let mut vendor = Vendor::with_signers(1, Role::Kernel, 3);
    vendor.kernel.threshold = 1;
    for key in vendor.kernel.keys.clone() {
        let mut alone = vendor.clone();
        alone.kernel.keys = vec![key];
        import_at_site(&vendor.site(), &[alone.receipt_line(&device())]).unwrap();
    }
}

#[test]
fn a_clock_reset_answers_the_open_request_of_this_agent() {
    let vendor = Vendor::new(1);
    let reset = vendor.clock_reset_line(&device(), NONCE);
    let plan =
        plan_import(&vendor.site(), &bundle(&[reset]), Some(&waiting_site()), now()).unwrap();
    assert_eq!(plan.clock_reset.unwrap().time, at("2027-02-01T00:00:00Z"));
    assert_eq!(plan.lines[0].name, "clock reset to 2027-02-01T00:00:00Z");
}

#[test]
fn a_clock_reset_that_answers_no_open_request_is_foreign() {
    let vendor = Vendor::new(1);
    let other_nonce = "ff".repeat(16);
    let reset = || vendor.clock_reset_line(&device(), NONCE);
    assert_eq!(refused_at(&site_facts(), &[reset()]), Code::ClockResetForeign);
    let other = vendor.clock_reset_line(&device(), &other_nonce);
    assert_eq!(refused_at(&waiting_site(), &[other]), Code::ClockResetForeign);
    let other_device = vendor.clock_reset_line(&Key::new(b"another device"), NONCE);
    assert_eq!(refused_at(&waiting_site(), &[other_device]), Code::ClockResetForeign);
    let used_up = SiteFacts { open_nonce: Some(other_nonce), ..site_facts() };
    assert_eq!(refused_at(&used_up, &[reset()]), Code::ClockResetForeign);
}

#[test]
fn a_bundle_holds_one_clock_reset() {
    let vendor = Vendor::new(1);
    let reset = vendor.clock_reset_line(&device(), NONCE);
    assert_eq!(refused_at(&waiting_site(), &[reset.clone(), reset]), Code::ClockResetForeign);
}

#[test]
fn a_clock_reset_by_a_revoked_license_key_is_refused() {
    let first = Vendor::new(1);
    let second = first.revoke(Role::License);
    let lines = [second.root_line_after(&first), first.clock_reset_line(&device(), NONCE)];
    assert_eq!(refused_at(&waiting_site(), &lines), Code::SignatureKeyRevoked);
}

#[test]
fn a_clock_reset_and_its_license_come_in_one_bundle() {
    let vendor = Vendor::new(1);
    let lines = [vendor.clock_reset_line(&device(), NONCE), vendor.license_line(1)];
    let plan = plan_import(&vendor.site(), &bundle(&lines), Some(&waiting_site()), now()).unwrap();
    assert!(plan.clock_reset.is_some());
    assert_eq!(serials(&plan.standing), [1]);
}

/// A vendor whose root ended, by a mark that is ten years ahead.
fn ended_by_a_wrong_mark() -> (Vendor, farhold_contract::Timestamp) {
    (Vendor { expires: "2032-01-01T00:00:00Z", ..Vendor::new(1) }, at("2037-06-01T12:00:00Z"))
}

#[test]
fn a_mark_ten_years_ahead_does_not_end_the_root_that_its_clock_reset_is_proven_by() {
    let (vendor, ahead) = ended_by_a_wrong_mark();
    let reset = vendor.clock_reset_line(&device(), NONCE);
    let offer = |site: &SiteFacts, lines: &[&[u8]]| {
        plan_import(&vendor.site(), &bundle(lines), Some(site), ahead)
    };
    let plan = offer(&waiting_site(), &[&reset, &vendor.license_line(1)]).unwrap();
    assert_eq!(plan.clock_reset.unwrap().time, at("2027-02-01T00:00:00Z"));
    assert_eq!(serials(&plan.standing), [1]);
    // Without a word on the time that answers this agent, the root has ended.
    let ended = (Code::TrustRootExpired, None);
    assert_eq!(refused(offer(&waiting_site(), &[&vendor.license_line(1)])), ended);
    assert_eq!(refused(offer(&site_facts(), &[&reset])), ended);
    let foreign = vendor.clock_reset_line(&Key::new(b"another device"), NONCE);
    assert_eq!(refused(offer(&waiting_site(), &[&foreign])), ended);
    let forged = Vendor::new(66).clock_reset_line(&device(), NONCE);
    assert_eq!(refused(offer(&waiting_site(), &[&forged])), ended);
}

#[test]
fn a_clock_reset_opens_no_root_that_had_ended_when_it_was_made() {
    let vendor = Vendor { expires: "2027-01-15T00:00:00Z", ..Vendor::new(1) };
    let reset = vendor.clock_reset_line(&device(), NONCE);
    let at_start = at("2027-01-02T00:00:00Z");
    for now in [at_start, now()] {
        let plan = plan_import(&vendor.site(), &bundle(&[&reset]), Some(&waiting_site()), now);
        assert_eq!(refused(plan), (Code::TrustRootExpired, None));
    }
}
