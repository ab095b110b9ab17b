//! Migrations: by `user_version`, all steps in one IMMEDIATE transaction, a backup before.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::StorageError;

/// Every step, oldest first; the schema's number is how many have been taken.
const STEPS: [&str; 4] = [
    include_str!("migrations/0001_registry.sql"),
    include_str!("migrations/0002_audit.sql"),
    include_str!("migrations/0003_ledger.sql"),
    include_str!("migrations/0004_missing.sql"),
];

/// Brings the database to this version's schema.
///
/// A database that is older is copied first, to `<file>.schema-<n>.backup`.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StorageError> {
    migrate_by(&STEPS, connection, path)
}

/// The database's schema; read before anything is set, because a newer one is left as it is.
///
/// # Errors
/// [`StorageError::NewerSchema`].
pub(super) fn schema(connection: &Connection) -> Result<i64, StorageError> {
    schema_by(&STEPS, connection)
}

fn migrate_by(
    steps: &[&str],
    connection: &mut Connection,
    path: &Path,
) -> Result<(), StorageError> {
    let known = steps.len() as i64;
    let found = schema_by(steps, connection)?;
    if found == known {
        return Ok(());
    }
    if found > 0 {
        let mut backup = path.as_os_str().to_owned();
        backup.push(format!(".schema-{found}.backup"));
        connection
            .backup("main", Path::new(&backup), None::<fn(rusqlite::backup::Progress)>)
            .map_err(StorageError::unavailable("back itself up before a migration"))?;
    }
    let mut run = || -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for step in &steps[found as usize..] {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", known)?;
        transaction.commit()
    };
    run().map_err(StorageError::unavailable("migrate"))
}

fn schema_by(steps: &[&str], connection: &Connection) -> Result<i64, StorageError> {
    let known = steps.len() as i64;
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(StorageError::unavailable("read its schema number"))?;
    if found > known { Err(StorageError::NewerSchema { found, known }) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_database_is_copied_before_it_is_migrated_and_a_failed_step_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kernel.db");
        let mut connection = Connection::open(&path).unwrap();
        migrate_by(&["CREATE TABLE a (x)"], &mut connection, &path).unwrap();
        connection.execute("INSERT INTO a VALUES (7)", []).unwrap();

        let broken = ["CREATE TABLE a (x)", "DROP TABLE a", "no sql at all"];
        assert!(migrate_by(&broken, &mut connection, &path).is_err());
        let kept: i64 = connection.query_row("SELECT x FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!((kept, schema_by(&broken, &connection).unwrap()), (7, 1));

        migrate_by(&["CREATE TABLE a (x)", "DROP TABLE a"], &mut connection, &path).unwrap();
        assert!(connection.query_row("SELECT x FROM a", [], |row| row.get::<_, i64>(0)).is_err());
        let backup = Connection::open(directory.path().join("kernel.db.schema-1.backup")).unwrap();
        let kept: i64 = backup.query_row("SELECT x FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 7);
    }
}
