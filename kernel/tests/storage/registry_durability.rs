//! What a crash, another process and another version find.

use std::{fs, path::Path};

use rusqlite::Connection;

use farhold_kernel::storage::{Limits, Storage, StorageError, no_trail};

use crate::world::{World, own_chain, tenant, told};

/// The database's files as they are at this moment, as a crash would leave them; of the log only
/// the first bytes.
fn crashed(path: &Path, log_bytes: usize) -> tempfile::TempDir {
    let left = tempfile::tempdir().unwrap();
    fs::copy(path, left.path().join("kernel.db")).unwrap();
    let log = log(path);
    let kept = &log[..log_bytes.min(log.len())];
    fs::write(left.path().join("kernel.db-wal"), kept).unwrap();
    left
}

fn log(path: &Path) -> Vec<u8> {
    fs::read(path.with_file_name("kernel.db-wal")).unwrap()
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_crash() {
    let world = World::new();
    for _ in 0..5 {
        let entered = tenant();
        let trail = told(entered.tenant_id);
        world.storage.create_tenant(entered.clone(), trail).await.unwrap();
        let left = crashed(&world.path, usize::MAX);
        let path = left.path().join("kernel.db");
        let after = Storage::open(&path, own_chain(), Limits::default()).unwrap();
        assert_eq!(after.tenant(entered.tenant_id).await.unwrap(), Some(entered));
        assert_eq!(after.own_chain().await.unwrap(), world.storage.own_chain().await.unwrap());
    }
}

#[tokio::test]
async fn a_log_torn_anywhere_leaves_operations_whole_with_their_trails() {
    let world = World::new();
    let opened = log(&world.path).len();
    let mut answered = vec![opened];
    let mut entered = Vec::new();
    for _ in 0..4 {
        let tenant = tenant();
        entered.push(tenant.tenant_id);
        world.storage.create_tenant(tenant.clone(), told(tenant.tenant_id)).await.unwrap();
        answered.push(log(&world.path).len());
    }
    let whole = *answered.last().unwrap();
    assert!(whole > opened, "nothing was logged");
    let frame = 4_096 + 24;
    for torn in (opened..=whole).step_by(frame / 3) {
        let left = crashed(&world.path, torn);
        let path = left.path().join("kernel.db");
        let storage = Storage::open(&path, own_chain(), Limits::default()).unwrap();
        let after = World::over(storage, path, left);
        let due = answered.iter().filter(|end| **end <= torn).count() - 1;
        for (place, &tenant_id) in entered.iter().enumerate() {
            let there = after.storage.tenant(tenant_id).await.unwrap().is_some();
            assert_eq!(there, place < due, "torn at {torn} of {whole}");
            assert_eq!(after.events(tenant_id).await, usize::from(there));
        }
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let world = World::new();
    world.tenant().await;
    let path = world.path.clone();
    let dir = world.closed();
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    let refused = Storage::open(&path, own_chain(), Limits::default()).map(drop);
    assert!(
        matches!(refused, Err(StorageError::NewerSchema { found: 99, known: 4 })),
        "{refused:?}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(dir);
}

#[tokio::test]
async fn one_process_at_a_time_has_it_open() {
    let world = World::new();
    let second = Storage::open(&world.path, own_chain(), Limits::default()).map(drop);
    assert!(matches!(second, Err(StorageError::InUse)), "{second:?}");
    // Another hand on the same one keeps it open.
    let hand = world.storage.clone();
    let (path, dir) = (world.path.clone(), world.closed());
    let second = Storage::open(&path, own_chain(), Limits::default()).map(drop);
    assert!(matches!(second, Err(StorageError::InUse)), "{second:?}");
    hand.create_tenant(tenant(), no_trail).await.unwrap();
    drop(hand);
    let third = Storage::open(&path, own_chain(), Limits::default()).unwrap();
    assert_eq!(third.tenants(None, 10).await.unwrap().len(), 1);
    drop((third, dir));
}

#[tokio::test]
async fn a_row_that_this_version_did_not_write_is_told_and_not_guessed_at() {
    let world = World::new();
    let tenant_id = world.tenant().await;
    let path = world.path.clone();
    let dir = world.closed();
    let sql = Connection::open(&path).unwrap();
    sql.execute("UPDATE tenant SET kind = 'cooperative'", []).unwrap();
    drop(sql);
    let refused = Storage::open(&path, own_chain(), Limits::default()).map(drop);
    assert!(
        matches!(refused, Err(StorageError::Row { what: "tenant" })),
        "{tenant_id}: {refused:?}"
    );
    drop(dir);
}
