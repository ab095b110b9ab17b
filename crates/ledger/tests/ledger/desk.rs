//! A vendor's ledger, made by hand.

use std::collections::BTreeMap;

use farhold_bundle::{KeyId, Positive, PublicKey, payload::FingerprintBinding};
use farhold_contract::{Date, Sha256Digest, Timestamp, id::IssuerId};
use farhold_ledger::{Act, Bound, DeviceKey, Issue, Ledger};

pub(crate) const ISSUER: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e40";
/// Two keys of the curve: RFC 8032 §7.1, tests 1 and 2.
pub(crate) const DEVICE_A: &str =
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
pub(crate) const DEVICE_B: &str =
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn day(number: u32) -> Timestamp {
    Timestamp::from_ms(1_790_000_000_000 + i64::from(number) * 86_400_000)
}

pub(crate) fn key(hex: &str) -> PublicKey {
    hex.parse().unwrap()
}

pub(crate) fn positive(number: u64) -> Positive {
    Positive::new(number).unwrap()
}

pub(crate) fn device(hex: &str) -> Option<Bound> {
    Some(Bound::Device(DeviceKey::from(&key(hex))))
}

pub(crate) fn fingerprint(require: u64) -> Option<Bound> {
    let components = BTreeMap::from(
        [
            ("disk.root", "1111111111111111"),
            ("machine_id", "2222222222222222"),
            ("nic.eth0", "3333333333333333"),
        ]
        .map(|(name, hash)| (name.to_owned(), hash.to_owned())),
    );
    let binding = FingerprintBinding { components, require: positive(require) };
    Some(Bound::Fingerprint { binding, device_key: None })
}

/// The license `contract` of tenant `tenant` in a serial, whose payload begins with `payload`.
pub(crate) fn issue(contract: u8, tenant: u8, serial: u64, payload: u8) -> Issue {
    Issue {
        license_id: format!("01939b6e-3c5f-7a31-8b53-0f6f1c2d3e{contract:02x}").parse().unwrap(),
        serial: positive(serial),
        replaces: None,
        tenant_id: format!("01939b6e-3c5f-7a31-8b53-0f6f1c2d4f{tenant:02x}").parse().unwrap(),
        product: "acme-courses".to_owned(),
        issued_to: "Universidad \"del Sur\", Lima".to_owned(),
        issued_at: day(serial as u32),
        not_before: day(serial as u32),
        expires_on: Some("2027-12-31".parse::<Date>().unwrap()),
        stops_at: Some(at("2028-02-14T12:00:00Z")),
        bound: Some(Bound::Unbound),
        sha256: Sha256Digest::new([payload; 32]),
        keys: vec![KeyId::new([9; 32])],
        rehosts_per_year: None,
        reason: None,
    }
}

/// A ledger that has begun, and its bytes.
pub(crate) fn begun() -> (Ledger, Vec<u8>) {
    let issuer: IssuerId = ISSUER.parse().unwrap();
    Ledger::begin(issuer, at("2026-11-01T00:00:00Z"))
}

/// A ledger of these acts, a day each, and its bytes.
pub(crate) fn ledger(acts: impl IntoIterator<Item = Act>) -> (Ledger, Vec<u8>) {
    let (mut ledger, mut bytes) = begun();
    for (number, act) in acts.into_iter().enumerate() {
        bytes.extend(ledger.append(day(number as u32), act).unwrap());
    }
    (ledger, bytes)
}
