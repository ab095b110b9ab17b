//! Machines: what is a move, and how many there were.

use std::collections::BTreeMap;

use farhold_contract::Sha256Digest;
use farhold_ledger::{Act, Bound, DeviceKey, Move, Release};

use crate::desk::{DEVICE_A, DEVICE_B, day, device, fingerprint, issue, key, ledger};

fn none() -> BTreeMap<String, String> {
    BTreeMap::new()
}

fn machine(hashes: &[(&str, &str)]) -> BTreeMap<String, String> {
    hashes.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect()
}

#[test]
fn the_first_machine_is_no_move() {
    let (ledger, _) = ledger([Act::Issued(issue(1, 1, 1, 1))]);
    let contract = ledger.contracts().next().unwrap();
    assert_eq!(contract.move_to(&key(DEVICE_A), &none()), Move::First);
}

#[test]
fn the_same_machine_is_no_move_and_another_one_is() {
    let mut bound = issue(1, 1, 1, 1);
    bound.bound = device(DEVICE_A);
    let (ledger, _) = ledger([Act::Issued(bound)]);
    let contract = ledger.contracts().next().unwrap();
    assert_eq!(contract.move_to(&key(DEVICE_A), &none()), Move::Same);
    assert_eq!(contract.move_to(&key(DEVICE_B), &none()), Move::Rehost);
}

#[test]
fn a_serial_without_a_binding_in_between_hides_no_move() {
    let mut bound = issue(1, 1, 1, 1);
    bound.bound = device(DEVICE_A);
    let (ledger, _) = ledger([Act::Issued(bound), Act::Issued(issue(1, 1, 2, 2))]);
    let contract = ledger.contracts().next().unwrap();
    assert_eq!(contract.move_to(&key(DEVICE_B), &none()), Move::Rehost);
}

#[test]
fn of_a_fingerprint_enough_must_hold_whoever_asks() {
    let mut bound = issue(1, 1, 1, 1);
    bound.bound = fingerprint(2);
    let (ledger, _) = ledger([Act::Issued(bound)]);
    let contract = ledger.contracts().next().unwrap();
    let repaired =
        machine(&[("disk.root", "1111111111111111"), ("machine_id", "2222222222222222")]);
    assert_eq!(contract.move_to(&key(DEVICE_A), &repaired), Move::Same);
    let copied = machine(&[("machine_id", "2222222222222222"), ("nic.eth0", "9999999999999999")]);
    assert_eq!(contract.move_to(&key(DEVICE_A), &copied), Move::Rehost);
}

#[test]
fn a_binding_that_nobody_asked_for_is_compared_as_far_as_it_can_be() {
    let bound_by = |bound: Option<Bound>| {
        let mut first = issue(1, 1, 1, 1);
        first.bound = bound;
        ledger([Act::Issued(first)]).0.contracts().next().unwrap().clone()
    };
    let of_device = |hex: &str| match fingerprint(2) {
        Some(Bound::Fingerprint { binding, .. }) => {
            Bound::Fingerprint { binding, device_key: Some(DeviceKey::from(&key(hex))) }
        }
        _ => panic!("a fingerprint"),
    };
    let to = |bound: Option<Bound>| bound.unwrap();
    assert_eq!(bound_by(None).move_by(&to(device(DEVICE_A))), Move::First);
    assert_eq!(bound_by(device(DEVICE_A)).move_by(&to(device(DEVICE_A))), Move::Same);
    assert_eq!(bound_by(device(DEVICE_A)).move_by(&to(device(DEVICE_B))), Move::Rehost);
    assert_eq!(bound_by(device(DEVICE_A)).move_by(&Bound::Unbound), Move::Same);
    assert_eq!(bound_by(device(DEVICE_A)).move_by(&of_device(DEVICE_A)), Move::Same);
    assert_eq!(bound_by(device(DEVICE_A)).move_by(&to(fingerprint(2))), Move::Rehost);
    assert_eq!(bound_by(fingerprint(2)).move_by(&to(fingerprint(3))), Move::Same);
    assert_eq!(bound_by(Some(of_device(DEVICE_A))).move_by(&to(device(DEVICE_A))), Move::Same);
}

#[test]
fn moves_are_counted_within_a_span_and_releases_are_kept() {
    let moved = |serial: u64, hex: &str| {
        let mut issue = issue(1, 1, serial, serial as u8);
        issue.bound = device(hex);
        issue
    };
    let release = Release {
        license_id: issue(1, 1, 1, 1).license_id,
        serial: None,
        device_key: DeviceKey::from(&key(DEVICE_B)),
        request: Sha256Digest::new([4; 32]),
    };
    let (ledger, bytes) = ledger([
        Act::Issued(moved(1, DEVICE_A)),   // day 0
        Act::Rehosted(moved(2, DEVICE_B)), // day 1
        Act::Released(release.clone()),    // day 2
        Act::Rehosted(moved(3, DEVICE_A)), // day 3
        Act::Issued(moved(4, DEVICE_A)),   // day 4
    ]);
    let id = release.license_id;
    assert_eq!(ledger.rehosts_since(id, day(0)), 2);
    assert_eq!(ledger.rehosts_since(id, day(1)), 1, "a year ago to the instant is over");
    assert_eq!(ledger.rehosts_since(id, day(3)), 0);
    let read = farhold_ledger::Ledger::read(&bytes).unwrap();
    let contract = read.contract(id).unwrap();
    assert_eq!(contract.releases, [(day(2), release)]);
    assert_eq!(contract.rehosts[1].device_key, Some(DeviceKey::from(&key(DEVICE_A))));
}

#[test]
fn a_move_without_the_ledger_counts_once_when_it_is_entered() {
    let to = |serial: u64, hex: &str| {
        let mut issue = issue(1, 1, serial, serial as u8);
        issue.bound = device(hex);
        issue
    };
    let id = to(1, DEVICE_A).license_id;
    let (ledger, _) = ledger([
        Act::Issued(to(1, DEVICE_A)),     // day 0
        Act::BreakGlass(to(2, DEVICE_B)), // day 1: met, on another machine
        Act::Entered(to(2, DEVICE_B)),    // day 2: its slip
        Act::Entered(to(3, DEVICE_B)),    // day 3: the same machine
        Act::Entered(issue(1, 1, 4, 4)),  // day 4: no machine
    ]);
    let contract = ledger.contract(id).unwrap();
    assert_eq!(contract.rehosts.len(), 1);
    assert_eq!((contract.rehosts[0].at, contract.rehosts[0].serial.as_u64()), (day(1), 2));
    // Its slip comes in late, after the license went back.
    let (ledger, _) = crate::desk::ledger([
        Act::Issued(to(1, DEVICE_A)),
        Act::BreakGlass(to(2, DEVICE_B)),
        Act::Rehosted(to(3, DEVICE_A)),
        Act::Entered(to(2, DEVICE_B)),
    ]);
    assert_eq!(ledger.contract(id).unwrap().rehosts.len(), 2);
    // The first machine is no move, however it came in.
    let (ledger, _) = crate::desk::ledger([Act::Entered(to(1, DEVICE_A))]);
    assert_eq!(ledger.contract(id).unwrap().rehosts.len(), 0);
}

#[test]
fn a_license_is_given_up_by_a_machine_that_it_was_for() {
    let bound_to = |serial: u64, bound: Option<Bound>| {
        let mut issue = issue(1, 1, serial, serial as u8);
        issue.bound = bound;
        Act::Issued(issue)
    };
    let holds = |acts: Vec<Act>, hex: &str, components: &BTreeMap<String, String>| {
        let (ledger, _) = ledger(acts);
        ledger.contracts().next().unwrap().is_held_by(&key(hex), components)
    };
    let to_a = || vec![bound_to(1, device(DEVICE_A))];
    assert!(holds(to_a(), DEVICE_A, &none()));
    assert!(!holds(to_a(), DEVICE_B, &none()), "a stranger's key");
    let moved = || vec![bound_to(1, device(DEVICE_A)), bound_to(2, device(DEVICE_B))];
    assert!(holds(moved(), DEVICE_A, &none()), "the old machine, after the new one was answered");
    assert!(holds(vec![bound_to(1, None)], DEVICE_B, &none()));
    assert!(holds(vec![bound_to(1, Some(Bound::Unbound))], DEVICE_B, &none()));
    let same = machine(&[("disk.root", "1111111111111111"), ("machine_id", "2222222222222222")]);
    let by_parts = || vec![bound_to(1, fingerprint(2))];
    assert!(holds(by_parts(), DEVICE_B, &same));
    assert!(!holds(by_parts(), DEVICE_B, &none()));
}
