//! Answers to a site: receipts and clock resets, judged by whom they are for.

use farhold_bundle::payload::Role;
use farhold_contract::Code;

use super::{
    case::{Case, ONE_LICENSE, ONE_NEW, Stands},
    support::{Key, NONCE, Vendor, device},
    vector::Vector,
};

const RESET_TO: &str = "2027-02-01T00:00:00Z";

pub(super) fn vectors() -> Vec<(&'static str, Vector)> {
    let mut vectors = receipts();
    vectors.extend(clock_resets());
    vectors
}

fn import(title: &str, section: &str, lines: &[Vec<u8>]) -> Case {
    Case::import(title, section, &[Vendor::new(1).root_line()], lines)
}

fn receipts() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let receipt = vendor.receipt_line(&device());
    let foreign = vendor.receipt_line(&Key::new(b"another device"));
    let rotated = vendor.rotate(Role::Kernel);
    let at_root_2 = [vendor.root_line(), rotated.root_line_after(&vendor)];
    vec![
        (
            "receipt",
            import(
                "A receipt alone is something to import",
                "§3.5",
                std::slice::from_ref(&receipt),
            )
            .at_site()
            .taken(Stands { receipts: 1, ..ONE_NEW }),
        ),
        (
            "receipt-beside-a-license",
            import(
                "A receipt in one bundle with a license",
                "§3.5",
                &[receipt.clone(), vendor.license_line(1)],
            )
            .at_site()
            .taken(Stands { outcomes: &["new"; 2], receipts: 1, ..ONE_LICENSE }),
        ),
        (
            "receipt-of-another-agent",
            import("A receipt for another agent", "§6.8", std::slice::from_ref(&foreign))
                .at_site()
                .refused(Code::ReceiptForeign),
        ),
        (
            "receipt-without-a-site",
            import("Without a site nobody asks whose receipt it is", "§3.5", &[foreign])
                .taken(Stands { receipts: 1, ..ONE_NEW }),
        ),
        (
            "receipt-by-a-rotated-key",
            Case::import("A receipt is always a new word", "§3.3", &at_root_2, &[receipt])
                .at_site()
                .refused_at(1, Code::SignatureKeyUnknown),
        ),
    ]
}

fn clock_resets() -> Vec<(&'static str, Vector)> {
    let vendor = Vendor::new(1);
    let reset = vendor.clock_reset_line(&device(), NONCE);
    let other_nonce = "ff".repeat(16);
    let foreign = |line: Vec<u8>, title| {
        import(title, "§5.6", &[line]).at_site().refused(Code::ClockResetForeign)
    };
    vec![
        (
            "clock-reset",
            import("A clock reset answers the open request", "§5.6", std::slice::from_ref(&reset))
                .at_site()
                .taken(Stands { clock_reset: Some(RESET_TO), ..ONE_NEW }),
        ),
        (
            "clock-reset-of-another-request",
            foreign(
                vendor.clock_reset_line(&device(), &other_nonce),
                "A clock reset for another request",
            ),
        ),
        (
            "clock-reset-of-another-agent",
            foreign(
                vendor.clock_reset_line(&Key::new(b"another device"), NONCE),
                "A clock reset for another agent",
            ),
        ),
        (
            "clock-reset-without-a-request",
            import("A clock reset where nobody asked", "§5.6", std::slice::from_ref(&reset))
                .at_site()
                .with(|vector| {
                    vector.site.as_mut().expect("it has just been given one").open_nonce = None;
                })
                .refused(Code::ClockResetForeign),
        ),
        (
            "clock-reset-twice",
            import("A bundle holds one clock reset", "§3.5", &[reset.clone(), reset])
                .at_site()
                .refused_at(2, Code::ClockResetForeign),
        ),
    ]
}
