//! Migrations: by `user_version`, all steps in one IMMEDIATE transaction, a backup before.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// Every step, oldest first; the schema's number is how many have been taken.
const STEPS: [&str; 2] =
    [include_str!("migrations/0001_first.sql"), include_str!("migrations/0002_link.sql")];

/// Brings the database to this version's schema.
///
/// A database that exists and is older is copied first, to `<file>.schema-<n>.backup`.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = STEPS.len() as i64;
    let found = schema(connection)?;
    if found == known {
        return Ok(());
    }
    if found > 0 {
        let backup = path.with_extension(format!("db.schema-{found}.backup"));
        connection
            .backup("main", &backup, None::<fn(rusqlite::backup::Progress)>)
            .map_err(StoreError::sqlite("back itself up before a migration"))?;
    }
    let migrating = StoreError::sqlite("migrate");
    let mut run = || -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for step in &STEPS[found as usize..] {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", known)?;
        transaction.commit()
    };
    run().map_err(migrating)
}

/// The database's schema; read before anything is set, because a newer one is left as it is.
///
/// # Errors
/// [`StoreError::NewerSchema`].
pub(crate) fn schema(connection: &Connection) -> Result<i64, StoreError> {
    let known = STEPS.len() as i64;
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(StoreError::sqlite("read its schema number"))?;
    if found > known { Err(StoreError::NewerSchema { found, known }) } else { Ok(found) }
}
