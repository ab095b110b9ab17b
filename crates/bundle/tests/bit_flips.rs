//! Every single-bit flip of a signed line is refused: no bit of a line is free.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use farhold_bundle::{
    Envelope, Standing, TrustRoot, add_signature, payload::*, plan_import, seal,
    verify_device_document,
};
use serde_json::json;
use support::*;

const SIGNERS: [u8; 3] = [1, 2, 16];

/// Flips each bit of `bytes` in turn.
fn each_flip(bytes: &[u8], mut refused: impl FnMut(&[u8]) -> bool) {
    let mut flipped = bytes.to_vec();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            flipped[at] ^= 1 << bit;
            assert!(refused(&flipped), "bit {bit} of byte {at} is free");
            flipped[at] ^= 1 << bit;
        }
    }
}

/// Flips each bit of a bundle that is taken unflipped.
fn each_flip_of_a_bundle(standing: &Standing, bundle: &[u8]) {
    let site = farhold_bundle::SiteFacts { open_nonce: Some(NONCE.into()), ..site_facts() };
    let import = |bundle: &[u8]| plan_import(standing, bundle, Some(&site), now());
    import(bundle).unwrap();
    each_flip(bundle, |flipped| import(flipped).is_err());
}

#[test]
fn every_single_bit_flip_of_a_license_is_refused_with_1_2_and_16_signatures() {
    for signers in SIGNERS {
        let vendor = Vendor::with_signers(1, Role::License, signers);
        each_flip_of_a_bundle(&vendor.site(), &bundle(&[vendor.license_line(1)]));
    }
}

#[test]
fn every_single_bit_flip_is_refused_also_where_fewer_signatures_would_do() {
    let mut vendor = Vendor::with_signers(1, Role::License, 3);
    vendor.license.threshold = 1;
    each_flip_of_a_bundle(&vendor.site(), &bundle(&[vendor.license_line(1)]));
}

#[test]
fn every_single_bit_flip_of_a_next_root_is_refused_with_1_2_and_16_signatures() {
    for signers in SIGNERS {
        let first = Vendor::with_signers(1, Role::Root, signers);
        let second = first.next();
        each_flip_of_a_bundle(&first.site(), &bundle(&[second.root_line_after(&first)]));
    }
}

#[test]
fn every_single_bit_flip_of_a_root_signed_by_old_and_new_keys_is_refused() {
    let first = Vendor::new(1);
    let second = first.rotate(Role::Root);
    let line = second.root_line_after(&first);
    assert_eq!(Envelope::open(&line).unwrap().key_ids().len(), 2);
    each_flip_of_a_bundle(&first.site(), &bundle(&[line]));
}

#[test]
fn every_single_bit_flip_of_a_first_root_is_refused_with_1_2_and_16_signatures() {
    for signers in SIGNERS {
        let line = Vendor::with_signers(1, Role::Root, signers).root_line();
        TrustRoot::install(&line, None).unwrap();
        each_flip(&line, |flipped| TrustRoot::install(flipped, None).is_err());
    }
}

#[test]
fn every_single_bit_flip_of_revocations_receipts_and_clock_resets_is_refused() {
    for signers in SIGNERS {
        let vendor = Vendor::with_signers(1, Role::Revocation, signers);
        let line = vendor.revocations_line(1, &[license_id(1)]);
        each_flip_of_a_bundle(&vendor.site(), &bundle(&[line]));
    }
    let vendor = Vendor::with_signers(1, Role::Kernel, 2);
    each_flip_of_a_bundle(&vendor.site(), &bundle(&[vendor.receipt_line(&device())]));
    let vendor = Vendor::with_signers(1, Role::License, 2);
    each_flip_of_a_bundle(&vendor.site(), &bundle(&[vendor.clock_reset_line(&device(), NONCE)]));
}

#[test]
fn every_single_bit_flip_of_a_document_of_a_device_is_refused() {
    let device = device();
    let renew: Renew = typed(&json!({
        "runtime_id": "01939b6e-0000-7000-8000-000000000301",
        "csr": "MAA=",
        "nonce": NONCE,
        "wall": "2027-06-01T12:00:00Z",
    }));
    let line = seal(&renew, &device).unwrap();
    let verify = |line: &[u8]| {
        Envelope::open(line).is_ok_and(|envelope| {
            verify_device_document::<Renew>(envelope, device.public()).is_ok()
        })
    };
    assert!(verify(&line));
    each_flip(&line, |flipped| !verify(flipped));
}

#[test]
fn every_single_bit_flip_of_a_known_line_is_refused() {
    let vendor = Vendor::with_signers(1, Role::License, 2);
    let standing = after(&vendor.site(), &[vendor.license_line(1)]);
    let next = vendor.revocations_line(1, &[]);
    // The second line is new, so that only the known one decides.
    let known = vendor.license_line(1);
    import(&standing, &[&known, &next]).unwrap();
    each_flip(&known, |flipped| import(&standing, &[flipped, &next]).is_err());
}

#[test]
fn a_line_signed_in_turns_is_the_line_signed_at_once() {
    let vendor = Vendor::with_signers(1, Role::License, 3);
    let license: License = typed(&vendor.license_json(1));
    let [first, others @ ..] = vendor.license.keys.as_slice() else { panic!("three keys") };
    let mut line = seal(&license, first).unwrap();
    for key in others {
        line = add_signature(&line, key).unwrap();
    }
    let payload = payload_of(&line);
    assert_eq!(line, raw_line(DocumentType::License, &payload, &vendor.license.keys));
    import(&vendor.site(), &[line]).unwrap();
}
