//! What the store promises to whoever owns it.

#![allow(clippy::unwrap_used)] // a test that can't set its stage has failed

mod support;

use std::{fs, io::Write};

use farhold_audit::{ChainPosition, next_head};
use farhold_contract::{Sha256Digest, id::RuntimeId};
use farhold_policy::{ClockState, Counter};
use farhold_store::{
    Appended, DATABASE, IdempotentAnswer, Reader, Store, StoredAnswer, read_second_copy,
    write_second_copy,
};

use support::{Dir, body, fill, later, now, tenant};

#[test]
fn a_dropped_transaction_leaves_no_trace() {
    let dir = Dir::new();
    let mut store = dir.store();
    fill(&mut store, 1..=3);
    let before = *store.chain();
    let mut txn = store.begin().unwrap();
    assert_eq!(txn.append(&body(4, "never kept"), now()).unwrap(), Appended::Record(4));
    txn.set_counter(tenant(1), "life|x".to_owned(), Counter { window_start: None, used: 5 });
    drop(txn);
    assert_eq!(*store.chain(), before);
    assert_eq!(store.counters().count(), 0);
    fill(&mut store, 4..=4);
    assert_eq!(store.chain().seq, 4);
    drop(store);
    assert_eq!(dir.store().chain().seq, 4);
}

#[test]
fn what_was_committed_is_there_after_reopening_and_forms_the_chain() {
    let dir = Dir::new();
    let mut store = dir.store();
    fill(&mut store, 1..=20);
    let mut txn = store.begin().unwrap();
    txn.set_counter(
        tenant(1),
        "window|a".to_owned(),
        Counter { window_start: Some(now()), used: 2 },
    );
    txn.commit().unwrap();
    let (opening, last) = (*store.opening(), *store.chain());
    drop(store);

    let store = dir.store();
    assert_eq!((*store.opening(), *store.chain()), (opening, last));
    let counters: Vec<_> = store.counters().collect();
    assert_eq!(counters, [("window|a", Counter { window_start: Some(now()), used: 2 })]);
    let mut position = ChainPosition::start(&opening);
    for record in Reader::open(dir.folder.path()).unwrap().records(1, 100).unwrap() {
        assert_eq!(record.wire.link.seq, position.seq + 1);
        assert_eq!(record.head, next_head(&position.head, &record.wire.link));
        position = ChainPosition { seq: record.wire.link.seq, head: record.head };
    }
    assert_eq!(position, last);
}

#[test]
fn a_retried_event_is_kept_once_and_another_under_its_id_is_a_conflict() {
    let dir = Dir::new();
    let mut store = dir.store();
    let mut txn = store.begin().unwrap();
    assert_eq!(txn.append(&body(1, "an event"), now()).unwrap(), Appended::Record(1));
    assert_eq!(txn.append(&body(1, "an event"), now()).unwrap(), Appended::Duplicate);
    txn.commit().unwrap();
    let mut txn = store.begin().unwrap();
    assert_eq!(txn.append(&body(1, "an event"), later(9)).unwrap(), Appended::Duplicate);
    assert_eq!(txn.append(&body(1, "another"), now()).unwrap(), Appended::Conflict);
    let mut elsewhere = body(1, "an event");
    elsewhere.tenant_id = tenant(2);
    assert_eq!(
        txn.append(&elsewhere, now()).unwrap(),
        Appended::Record(2),
        "ids are a tenant's own"
    );
    txn.commit().unwrap();
    assert_eq!(store.chain().seq, 2);
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let dir = Dir::new();
    let mut store = dir.store();
    fill(&mut store, 1..=2);
    drop(store);
    let path = dir.folder.path().join(DATABASE);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    let error = Store::open(dir.folder.path(), &dir.birth).err().expect("a refusal");
    assert_eq!(error.code().as_str(), "state.newer_schema");
    assert!(fs::read(&path).unwrap() == before, "the file was changed");
}

#[test]
fn a_damaged_database_is_moved_aside_and_never_deleted() {
    let dir = Dir::new();
    let path = dir.folder.path().join(DATABASE);
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&b"this was a database once. ".repeat(4_000)).unwrap();
    let damaged = fs::read(&path).unwrap();
    let opened = dir.open();
    let aside = opened.moved_aside.expect("the damaged file");
    assert!(fs::read(aside).unwrap() == damaged, "the damaged file was changed");
    assert_eq!(opened.store.chain().seq, 0);
}

#[test]
fn an_idempotency_key_replays_its_answer_until_it_expires() {
    let dir = Dir::new();
    let mut store = dir.store();
    let runtime_id: RuntimeId = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e99".parse().unwrap();
    let (one, other) = (Sha256Digest::new([1; 32]), Sha256Digest::new([2; 32]));
    let stored = |expires_at| StoredAnswer {
        tenant_id: tenant(1),
        runtime_id,
        key: "k",
        body_sha256: one,
        answer: b"{\"allowed\":true}",
        expires_at,
    };
    let mut txn = store.begin().unwrap();
    let look = |txn: &farhold_store::Txn<'_>, digest, at| {
        txn.idempotent(tenant(1), runtime_id, "k", digest, at).unwrap()
    };
    assert_eq!(look(&txn, one, now()), IdempotentAnswer::New);
    txn.keep_answer(&stored(later(3_600)), now()).unwrap();
    txn.commit().unwrap();

    let mut txn = store.begin().unwrap();
    assert_eq!(
        look(&txn, one, later(3_599)),
        IdempotentAnswer::Replay(b"{\"allowed\":true}".to_vec())
    );
    assert_eq!(look(&txn, other, later(10)), IdempotentAnswer::Conflict);
    assert_eq!(
        txn.idempotent(tenant(2), runtime_id, "k", other, now()).unwrap(),
        IdempotentAnswer::New
    );
    assert_eq!(look(&txn, other, later(3_600)), IdempotentAnswer::New);
    txn.keep_answer(&stored(later(7_200)), later(3_600)).unwrap();
    txn.commit().unwrap();
    let keys: i64 = rusqlite::Connection::open(dir.folder.path().join(DATABASE))
        .unwrap()
        .query_row("SELECT keys FROM idempotency_keys", [], |row| row.get(0))
        .unwrap();
    assert_eq!(keys, 1, "the expired one was forgotten and uncounted");
}

#[test]
fn a_runtime_with_its_whole_number_of_keys_is_told_so() {
    let dir = Dir::new();
    let mut store = dir.store();
    let runtime_id: RuntimeId = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e99".parse().unwrap();
    rusqlite::Connection::open(dir.folder.path().join(DATABASE))
        .unwrap()
        .execute("INSERT INTO idempotency_keys VALUES (?1, 1000000)", [runtime_id.as_bytes()])
        .unwrap();
    let txn = store.begin().unwrap();
    let answer =
        txn.idempotent(tenant(1), runtime_id, "k", Sha256Digest::new([1; 32]), now()).unwrap();
    assert_eq!(answer, IdempotentAnswer::TooMany);
}

#[test]
fn nothing_is_pruned_that_no_receipt_covers() {
    let dir = Dir::new();
    let mut store = dir.store();
    fill(&mut store, 1..=10);
    let mut txn = store.begin().unwrap();
    assert_eq!(txn.prune(10).unwrap(), 0);
    txn.commit().unwrap();
    assert_eq!(Reader::open(dir.folder.path()).unwrap().first_seq().unwrap(), Some(1));
}

#[test]
fn a_mark_that_is_torn_or_empty_costs_its_history_and_nothing_else() {
    let dir = Dir::new();
    let mut store = dir.store();
    fill(&mut store, 1..=1);
    drop(store);
    for torn in ["", "{\"mark\":\"2026-", "null", "{}", "42"] {
        rusqlite::Connection::open(dir.folder.path().join(DATABASE))
            .unwrap()
            .execute("INSERT OR REPLACE INTO own VALUES ('clock', ?1)", [torn])
            .unwrap();
        let store = dir.store();
        assert_eq!(store.own::<ClockState>("clock").unwrap(), None, "{torn:?}");
        assert_eq!(store.chain().seq, 1);
    }
}

#[test]
fn the_last_receipted_record_stays_where_the_chain_and_the_next_export_stand() {
    let dir = Dir::new();
    let mut store = dir.store();
    fill(&mut store, 1..=10);
    let last = *store.chain();
    drop(store);
    rusqlite::Connection::open(dir.folder.path().join(DATABASE))
        .unwrap()
        .execute("INSERT INTO receipt VALUES (10, x'00', ?1)", [now().as_ms()])
        .unwrap();
    let mut store = dir.store();
    let mut txn = store.begin().unwrap();
    assert_eq!(txn.prune(10).unwrap(), 9);
    txn.commit().unwrap();
    drop(store);
    let store = dir.store();
    assert_eq!((*store.chain(), store.acknowledged_seq()), (last, 10));
    let reader = Reader::open(dir.folder.path()).unwrap();
    assert_eq!(reader.head_at(10).unwrap(), Some(last.head));
}

#[test]
fn expired_keys_never_refuse_a_new_one() {
    let dir = Dir::new();
    let mut store = dir.store();
    let runtime_id: RuntimeId = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e99".parse().unwrap();
    let digest = Sha256Digest::new([1; 32]);
    let mut txn = store.begin().unwrap();
    let stored = StoredAnswer {
        tenant_id: tenant(1),
        runtime_id,
        key: "old",
        body_sha256: digest,
        answer: b"{}",
        expires_at: later(60),
    };
    txn.keep_answer(&stored, now()).unwrap();
    txn.commit().unwrap();
    rusqlite::Connection::open(dir.folder.path().join(DATABASE))
        .unwrap()
        .execute("UPDATE idempotency_keys SET keys = 1000000", [])
        .unwrap();
    let mut txn = store.begin().unwrap();
    let look = |txn: &farhold_store::Txn<'_>, at| {
        txn.idempotent(tenant(1), runtime_id, "new", digest, at).unwrap()
    };
    assert_eq!(look(&txn, later(59)), IdempotentAnswer::TooMany);
    assert_eq!(look(&txn, later(60)), IdempotentAnswer::New);
    assert!(!txn.forget_answers(later(60)).unwrap());
}

#[test]
fn the_second_copy_is_replaced_whole_and_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    assert!(read_second_copy(dir.folder.path()).unwrap().is_empty());
    write_second_copy(dir.folder.path(), b"first\nsecond\n").unwrap();
    write_second_copy(dir.folder.path(), b"third\n").unwrap();
    assert_eq!(read_second_copy(dir.folder.path()).unwrap(), [b"third".to_vec()]);
    let mode = fs::metadata(dir.folder.path().join("current.bundle")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
