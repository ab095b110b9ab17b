//! Any bytes as the signed payload of each type.

use farhold_bundle::{
    Envelope, Signer, TrustRoot, Verified,
    payload::{
        Checkpoint, ClockReset, DocumentType, Enroll, License, Payload, Receipt, Renew, Request,
        Revocations,
    },
    seal, verify_device_document,
};
use farhold_contract::Timestamp;
use farhold_policy::{Link, Now, PolicyState};

use super::{
    DEVICE, ROOT, VENDOR,
    support::{Key, Vendor, raw_line},
};

/// The types, in the order of the first byte that chooses them.
pub const TYPES: [DocumentType; 9] = [
    DocumentType::Root,
    DocumentType::License,
    DocumentType::Revocations,
    DocumentType::ClockReset,
    DocumentType::Receipt,
    DocumentType::Request,
    DocumentType::Checkpoint,
    DocumentType::Enroll,
    DocumentType::Renew,
];

/// The first byte chooses the type; the rest is signed as its payload and read. What is accepted
/// can be sealed again and says the same; a license can be decided by at any time.
pub fn payload(bytes: &[u8]) {
    let Some((&choice, payload)) = bytes.split_first() else { return };
    let kind = TYPES[usize::from(choice) % TYPES.len()];
    let vendor = &*VENDOR;
    match kind {
        DocumentType::Root => root(vendor, payload),
        DocumentType::License => {
            let read = by_vendor::<License>(payload, &vendor.license.keys);
            read.iter().for_each(decided_at_any_time);
        }
        DocumentType::Revocations => {
            by_vendor::<Revocations>(payload, &vendor.revocation.keys);
        }
        DocumentType::ClockReset => {
            by_vendor::<ClockReset>(payload, &vendor.license.keys);
        }
        DocumentType::Receipt => {
            by_vendor::<Receipt>(payload, &vendor.kernel.keys);
        }
        DocumentType::Request => by_device::<Request>(payload),
        DocumentType::Checkpoint => by_device::<Checkpoint>(payload),
        DocumentType::Enroll => by_device::<Enroll>(payload),
        DocumentType::Renew => by_device::<Renew>(payload),
    }
}

/// As a first root, and as the one after it.
fn root(vendor: &Vendor, payload: &[u8]) {
    let line = raw_line(DocumentType::Root, payload, &vendor.root.keys);
    if let Ok(root) = TrustRoot::install(&line, None) {
        reseals(root.root().content(), &vendor.root.keys[0]);
    }
    if let Ok(envelope) = Envelope::open(&line)
        && let Ok(next) = ROOT.step(envelope)
    {
        assert_eq!(next.version(), ROOT.version() + 1, "a step is one step");
        let kept = ROOT.root().revoked_keys.is_subset(&next.root().revoked_keys);
        assert!(kept, "what is revoked stays revoked");
    }
}

fn by_vendor<T: Payload + PartialEq>(payload: &[u8], keys: &[Key]) -> Option<Verified<T>> {
    let line = raw_line(T::TYPE, payload, keys);
    let verified = ROOT.verify::<T>(Envelope::open(&line).ok()?).ok()?;
    reseals(verified.content(), &keys[0]);
    Some(verified)
}

fn by_device<T: Payload + PartialEq>(payload: &[u8]) {
    let device = &*DEVICE;
    let line = raw_line(T::TYPE, payload, std::slice::from_ref(device));
    let Ok(envelope) = Envelope::open(&line) else { return };
    if let Ok(verified) = verify_device_document::<T>(envelope, device.public_key()) {
        reseals(verified.content(), device);
    }
}

/// What was read can be written, and is read as the same.
fn reseals<T: Payload + PartialEq>(content: &T, signer: &Key) {
    let line = seal(content, signer).expect("what was read can be sealed");
    let envelope = Envelope::open(&line).expect("what was sealed opens");
    let again: T = serde_json::from_slice(envelope.danger_unverified_payload())
        .expect("what was sealed can be read");
    assert!(again == *content, "what was sealed says the same");
}

fn decided_at_any_time(license: &Verified<License>) {
    let policy = PolicyState::new([license], None);
    let milestones = policy.milestones(Timestamp::MIN);
    let instants = milestones.iter().map(|milestone| milestone.at);
    for instant in instants.chain([Timestamp::MIN, Timestamp::MAX]).take(64) {
        let now = Now::exactly(instant);
        for link in [Link::Online, Link::Offline, Link::Detached] {
            policy.outlook(&now, link);
        }
        policy.conditions(&now);
    }
    let in_order = milestones.windows(2).all(|pair| pair[0].at <= pair[1].at);
    assert!(in_order, "milestones come in order of time");
}
