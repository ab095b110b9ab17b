//! Nothing in a ledger can be changed, left out, exchanged or put in between.

use proptest::prelude::*;

use farhold_contract::{Code, Timestamp};
use farhold_ledger::{
    Act, Broken, Chain, Conflict, DeviceKey, Head, LIMITS, Ledger, Release, Setback, csv_head,
    csv_row, verify,
};

use crate::desk::{DEVICE_A, begun, day, device, fingerprint, issue, key, ledger, positive};

/// One entry of every kind, with every member that it may have.
fn every_kind() -> (Ledger, Vec<u8>) {
    let mut bound = issue(1, 1, 2, 12);
    bound.bound = device(DEVICE_A);
    bound.rehosts_per_year = farhold_bundle::Whole::new(2);
    let mut moved = issue(1, 1, 3, 13);
    moved.bound = fingerprint(2);
    let mut met = issue(2, 2, 7, 27);
    met.bound = None;
    met.not_before = day(400);
    met.expires_on = None;
    met.stops_at = None;
    let mut entered = met.clone();
    entered.reason = Some("the office was flooded; \"ledger\" at home".to_owned());
    ledger([
        Act::Issued(issue(1, 1, 1, 11)),
        Act::Issued(bound),
        Act::Rehosted(moved),
        Act::Released(Release {
            license_id: issue(1, 1, 1, 1).license_id,
            serial: Some(positive(2)),
            device_key: DeviceKey::from(&key(DEVICE_A)),
            request: farhold_contract::Sha256Digest::new([5; 32]),
        }),
        Act::BreakGlass(met),
        Act::Entered(entered),
    ])
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn what_was_written_is_what_is_read() {
    let (written, bytes) = every_kind();
    let read = Ledger::read(&bytes).unwrap();
    assert_eq!(read.head(), written.head());
    assert_eq!(read.issuer(), written.issuer());
    for (read, written) in read.contracts().zip(written.contracts()) {
        assert_eq!(read.newest, written.newest);
        assert_eq!(read.revisions, written.revisions);
        assert_eq!(read.rehosts, written.rehosts);
        assert_eq!(read.releases, written.releases);
    }
    let (entries, head) = verify(Head::START, &bytes).unwrap();
    assert_eq!((entries.len() as u64, head), (7, written.head()));
    assert_eq!(entries[2].act.issue().unwrap().replaces, Some(positive(1)));
    assert_eq!(entries.last().unwrap().head(), head);
}

#[test]
fn the_bytes_of_an_entry_stay_as_the_specification_has_them() {
    let (_, bytes) = begun();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "{\"seq\":1,\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\
         \"at\":\"2026-11-01T00:00:00Z\",\"kind\":\"begun\",\
         \"issuer\":\"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e40\",\
         \"hash\":\"1bf74dca28f132e0bdb9d387636d9cc121b3c4e47040e2785d83a035124f2f1c\"}\n"
    );
}

#[test]
fn every_single_bit_flip_is_refused() {
    let (_, bytes) = every_kind();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let broken = Ledger::read(&flipped).expect_err("a flipped bit is seen");
        assert_eq!(broken.code(), Code::LedgerBroken);
    }
}

#[test]
fn a_line_left_out_exchanged_repeated_or_put_in_between_is_refused() {
    let (_, bytes) = every_kind();
    let lines = lines(&bytes);
    for at in 0..lines.len() - 1 {
        let mut without = lines.clone();
        without.remove(at);
        assert!(Ledger::read(&without.concat()).is_err(), "without line {}", at + 1);
        let mut exchanged = lines.clone();
        exchanged.swap(at, at + 1);
        assert!(Ledger::read(&exchanged.concat()).is_err(), "exchanged at {}", at + 1);
        let mut repeated = lines.clone();
        repeated.insert(at, lines[at].clone());
        assert!(Ledger::read(&repeated.concat()).is_err(), "repeated {}", at + 1);
    }
}

#[test]
fn an_entry_of_another_ledger_does_not_follow() {
    let (_, bytes) = every_kind();
    let (_, other) = ledger([Act::Issued(issue(3, 3, 1, 31)), Act::Issued(issue(3, 3, 2, 32))]);
    let mut mixed = lines(&bytes);
    mixed[2] = lines(&other)[2].clone();
    assert_eq!(Ledger::read(&mixed.concat()).unwrap_err(), Broken::Unchained { line: 3 });
}

#[test]
fn an_end_cut_off_shows_beside_a_known_head() {
    let (whole, bytes) = every_kind();
    let lines = lines(&bytes);
    let shorter = Ledger::read(&lines[..4].concat()).unwrap();
    assert_ne!(shorter.head(), whole.head(), "a whole ledger as such, and not the one known");
}

#[test]
fn what_follows_a_known_head_is_verified_without_what_came_before() {
    let (whole, bytes) = every_kind();
    let lines = lines(&bytes);
    for known in 0..=lines.len() {
        let (_, head) = verify(Head::START, &lines[..known].concat()).unwrap();
        let (entries, end) = verify(head, &lines[known..].concat()).unwrap();
        assert_eq!((entries.len(), end), (lines.len() - known, whole.head()));
    }
    let (_, head) = verify(Head::START, &lines[..2].concat()).unwrap();
    assert_eq!(
        verify(head, &lines[3..].concat()).unwrap_err(),
        Broken::Order { line: 1, found: 4, expected: 3 }
    );
    let foreign = Head { hash: farhold_contract::Sha256Digest::new([1; 32]), ..head };
    assert_eq!(verify(foreign, &lines[2]).unwrap_err(), Broken::Unchained { line: 1 });
}

#[test]
fn a_torn_last_line_is_told_from_a_changed_one() {
    let (_, bytes) = every_kind();
    let lines = lines(&bytes);
    let last = lines.len() as u64;
    let length = lines[lines.len() - 1].len();
    for cut in 1..length {
        let broken = Ledger::read(&bytes[..bytes.len() - cut]).unwrap_err();
        assert_eq!(broken, Broken::Torn { line: last, bytes: length - cut });
        assert!(broken.is_torn());
    }
    assert!(!Broken::Changed { line: 1 }.is_torn());
}

#[test]
fn a_tail_is_a_piece_or_the_entry_that_follows_or_an_error() {
    let (_, bytes) = every_kind();
    let lines = lines(&bytes);
    for (at, line) in lines.iter().enumerate().skip(1) {
        let mut ledger = Ledger::empty();
        lines[..at].iter().for_each(|line| drop(ledger.take(line).unwrap()));
        let head = ledger.head();
        let whole = &line[..line.len() - 1];
        for end in 1..whole.len() {
            assert_eq!(ledger.take_tail(&whole[..end]).unwrap(), None, "{end} bytes of line {at}");
        }
        assert_eq!(ledger.head(), head, "a piece is no entry");
        // By its form whole, and changed; or of another place.
        let mut changed = whole.to_vec();
        changed[8] ^= 1;
        assert!(matches!(ledger.take_tail(&changed), Err(Broken::Changed { .. })));
        if let Some(next) = lines.get(at + 1) {
            let refused = ledger.take_tail(&next[..next.len() - 1]);
            assert!(matches!(refused, Err(Broken::Order { .. })), "{refused:?}");
        }
        let taken = ledger.take_tail(whole).unwrap().unwrap();
        assert_eq!(taken.head(), ledger.head());
    }
}

#[test]
fn a_ledger_begins_with_its_issuer_and_only_once() {
    assert_eq!(Ledger::read(b"").unwrap_err(), Broken::Beginning { line: 1 });
    let (mut ledger, _) = begun();
    let again = Act::Begun { issuer: ledger.issuer().unwrap() };
    assert_eq!(ledger.append(day(1), again).unwrap_err().code(), Code::LedgerConflict);
    let refused = Ledger::empty().append(day(1), Act::Issued(issue(1, 1, 1, 1)));
    assert_eq!(refused.unwrap_err().code(), Code::LedgerConflict);
}

#[test]
fn a_line_longer_than_the_limit_is_refused_before_it_is_read() {
    let line = [vec![b'{'; LIMITS.line_bytes], b"\n".to_vec()].concat();
    assert!(matches!(Chain::begin().take(&line), Err(Broken::Malformed { line: 1, .. })));
}

#[test]
fn an_entry_that_nobody_could_read_back_is_refused_and_changes_nothing() {
    let (mut ledger, bytes) = begun();
    let long = |bytes: usize| {
        let mut long = issue(1, 1, 1, 1);
        long.reason = Some("x".repeat(bytes));
        long
    };
    let empty = ledger.clone().append(day(0), Act::Issued(long(0))).unwrap().len();
    let room = LIMITS.line_bytes - empty;
    let most = LIMITS.line_bytes;
    // `entered` is a letter longer than `issued`.
    for act in [Act::Issued(long(room + 1)), Act::Entered(long(room))] {
        let refused = ledger.append(day(0), act).unwrap_err();
        assert_eq!(refused, Conflict::TooLong { bytes: most + 1, most });
        assert_eq!(refused.code(), Code::LedgerConflict);
        assert_eq!((ledger.head().seq, ledger.contracts().len()), (1, 0));
    }
    let line = ledger.append(day(0), Act::Issued(long(room))).unwrap();
    assert_eq!(line.len(), LIMITS.line_bytes);
    Ledger::read(&[bytes, line].concat()).unwrap();
}

#[test]
fn an_entry_dated_before_the_one_it_follows_is_told_and_no_reason_to_refuse() {
    let (mut written, mut bytes) = begun();
    let base = day(400);
    let at = |hours: i64| Timestamp::from_ms(base.as_ms() + hours * 3_600_000);
    for (serial, hours) in [(1, 0), (2, -24), (3, -49), (4, 9_000), (5, 10), (6, 11)] {
        let act = Act::Issued(issue(1, 1, serial, serial as u8));
        bytes.extend(written.append(at(hours), act).unwrap());
    }
    let told = [
        Setback { seq: 4, at: at(-49), before: at(-24) },
        Setback { seq: 6, at: at(10), before: at(9_000) },
    ];
    assert_eq!(written.setbacks(), told, "the clocks of two desks are a day apart at most");
    assert_eq!(Ledger::read(&bytes).unwrap().setbacks(), told);
}

#[test]
fn a_refused_line_leaves_the_reader_where_it_stood() {
    let (_, bytes) = every_kind();
    let lines = lines(&bytes);
    let mut ledger = Ledger::empty();
    ledger.take(&lines[0]).unwrap();
    assert!(ledger.take(&lines[2]).is_err());
    ledger.take(&lines[1]).unwrap();
    assert_eq!(ledger.head().seq, 2);
}

#[test]
fn people_read_it_as_csv_and_no_cell_is_a_formula() {
    let mut named = issue(1, 1, 1, 1);
    named.issued_to = "=HYPERLINK(\"x\")".to_owned();
    let (_, bytes) = ledger([Act::Issued(named)]);
    let (entries, _) = verify(Head::START, &bytes).unwrap();
    let rows: Vec<String> = entries.iter().map(csv_row).collect();
    let columns = csv_head().split(',').count();
    assert_eq!(rows[0].split(',').count(), columns);
    assert!(rows[1].contains(",\"'=HYPERLINK(\"\"x\"\")\","), "{}", rows[1]);
    assert!(rows[1].starts_with("2,") && rows[1].ends_with("\r\n"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Ledger::read(&bytes).is_err());
    }
}
