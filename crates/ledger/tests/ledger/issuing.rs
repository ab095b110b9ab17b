//! Serials: none is given twice, none goes back, and what contradicts is shown.

use farhold_contract::Code;
use farhold_ledger::{Act, Clash, Conflict, Gap};

use crate::desk::{begun, day, issue, ledger, positive};

#[test]
fn serials_count_in_the_line_across_its_contracts() {
    let (mut ledger, _) = begun();
    let line = issue(1, 1, 1, 1).line();
    assert_eq!(ledger.next_serial(&line), Some(positive(1)));
    ledger.append(day(0), Act::Issued(issue(1, 1, 1, 1))).unwrap();
    ledger.append(day(1), Act::Issued(issue(2, 1, 2, 2))).unwrap();
    assert_eq!(ledger.next_serial(&line), Some(positive(3)), "of the line, not of the contract");
    assert_eq!(ledger.next_serial(&issue(3, 9, 1, 1).line()), Some(positive(1)));
    assert_eq!(ledger.contracts_of(&line).count(), 2);
    ledger.append(day(2), Act::Issued(issue(1, 1, 3, 3))).unwrap();
    let contract = ledger.contract(issue(1, 1, 1, 1).license_id).unwrap();
    assert_eq!(contract.newest.serial, positive(3));
    assert_eq!(contract.newest.replaces, Some(positive(1)));
}

#[test]
fn the_last_serial_is_the_end_of_the_line() {
    let last = (1 << 53) - 1;
    let (ledger, _) = ledger([Act::Issued(issue(1, 1, last, 1))]);
    assert_eq!(ledger.next_serial(&issue(1, 1, 1, 1).line()), None);
}

#[test]
fn one_serial_is_not_given_to_two_payloads() {
    let (mut ledger, _) = ledger([Act::Issued(issue(1, 1, 1, 1))]);
    for other in [issue(1, 1, 1, 2), issue(2, 1, 1, 1)] {
        let conflict = ledger.append(day(9), Act::Issued(other)).unwrap_err();
        assert_eq!(conflict, Conflict::Taken { serial: positive(1), seq: 2 });
        assert_eq!(conflict.code(), Code::LedgerConflict);
    }
    assert_eq!(ledger.head().seq, 2, "a refused entry leaves nothing behind");
}

#[test]
fn a_serial_below_the_highest_is_refused() {
    let (mut ledger, _) = ledger([Act::Issued(issue(1, 1, 5, 1))]);
    let conflict = ledger.append(day(9), Act::Issued(issue(1, 1, 4, 2))).unwrap_err();
    assert_eq!(conflict, Conflict::Lower { serial: positive(4), highest: positive(5) });
}

#[test]
fn the_same_payload_may_be_signed_again_by_another_key() {
    let (mut ledger, _) = ledger([Act::Issued(issue(1, 1, 1, 1)), Act::Issued(issue(2, 1, 2, 2))]);
    let mut again = issue(1, 1, 1, 1);
    again.keys = vec![farhold_bundle::KeyId::new([8; 32])];
    ledger.append(day(9), Act::Issued(again.clone())).unwrap();
    let contract = ledger.contract(again.license_id).unwrap();
    assert_eq!(contract.newest.keys, again.keys, "the last signing counts");
    assert_eq!(contract.revisions.len(), 2);
    assert!(ledger.clashes().is_empty());
}

#[test]
fn a_license_id_stays_with_its_organization_and_product() {
    let (mut ledger, _) = ledger([Act::Issued(issue(1, 1, 1, 1))]);
    let conflict = ledger.append(day(9), Act::Issued(issue(1, 2, 1, 2))).unwrap_err();
    assert!(matches!(conflict, Conflict::OtherLine { .. }), "{conflict}");
    let mut renamed = issue(1, 1, 2, 2);
    renamed.product = "acme-labs".to_owned();
    assert!(ledger.append(day(9), Act::Issued(renamed)).is_err());
}

#[test]
fn what_was_issued_without_the_ledger_enters_and_its_contradiction_shows() {
    let (mut ledger, _) = ledger([Act::Issued(issue(1, 1, 1, 1)), Act::Issued(issue(1, 1, 2, 2))]);
    ledger.append(day(8), Act::Entered(issue(1, 1, 2, 99))).unwrap();
    assert_eq!(
        ledger.clashes(),
        [Clash { line: issue(1, 1, 1, 1).line(), serial: positive(2), entries: vec![3, 4] }]
    );
    assert!(ledger.has(issue(1, 1, 1, 1).license_id, positive(2), issue(1, 1, 2, 99).sha256));
    assert!(!ledger.has(issue(1, 1, 1, 1).license_id, positive(1), issue(1, 1, 2, 99).sha256));
}

#[test]
fn a_license_met_outside_is_open_until_its_slip_comes_in() {
    let (mut ledger, _) = ledger([Act::Issued(issue(1, 1, 1, 1))]);
    ledger.append(day(1), Act::BreakGlass(issue(1, 1, 2, 2))).unwrap();
    ledger.append(day(1), Act::BreakGlass(issue(1, 1, 3, 3))).unwrap();
    let open = |ledger: &farhold_ledger::Ledger| {
        ledger.open_break_glass().map(|met| met.serial.as_u64()).collect::<Vec<_>>()
    };
    assert_eq!(open(&ledger), [2, 3]);
    ledger.append(day(2), Act::Entered(issue(1, 1, 2, 77))).unwrap();
    assert_eq!(open(&ledger), [2, 3], "the slip of another payload closes nothing");
    ledger.append(day(2), Act::Entered(issue(1, 1, 2, 2))).unwrap();
    assert_eq!(open(&ledger), [3]);
}

#[test]
fn serials_that_are_missing_between_two_are_gaps() {
    let (ledger, _) = ledger([
        Act::Issued(issue(1, 1, 3, 1)),
        Act::Issued(issue(1, 1, 4, 2)),
        Act::Issued(issue(1, 1, 8, 3)),
        Act::Issued(issue(2, 2, 10, 4)),
    ]);
    assert_eq!(
        ledger.gaps(),
        [Gap { line: issue(1, 1, 1, 1).line(), from: positive(5), to: positive(7) }]
    );
}
