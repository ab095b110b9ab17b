//! Documents: the vendor's, as lines, in the order in which they are verified again.

use rusqlite::{Connection, params};

use super::{Storage, Trail, column::Col, error::StorageError, statement};

const WHAT: &str = "document";

impl Storage {
    /// Replaces the documents that stand.
    ///
    /// # Errors
    /// What every write may meet.
    pub async fn put_documents(
        &self,
        lines: Vec<Vec<u8>>,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        let bytes = lines.iter().map(Vec::len).sum();
        self.write_weighing(bytes, move |txn| {
            put(txn.sql(), &lines)?;
            txn.leave((), trail)
        })
        .await
    }

    /// The documents that stand.
    ///
    /// # Errors
    /// What every read may meet.
    pub async fn documents(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        self.read(|sql| {
            let select = "SELECT line FROM document ORDER BY position";
            statement::all(sql, WHAT, select, [], |row| row.get(0))
        })
        .await
    }
}

/// Most lines stay where they are from one import to the next: those are not written again.
fn put(sql: &Connection, lines: &[Vec<u8>]) -> Result<(), StorageError> {
    let upsert = "INSERT INTO document (position, line) VALUES (?1, ?2)
                  ON CONFLICT (position) DO UPDATE SET line = excluded.line
                  WHERE line <> excluded.line";
    let mut end: u64 = 0;
    for line in lines {
        statement::change(sql, WHAT, upsert, params![Col(end), line])?;
        end += 1;
    }
    statement::change(sql, WHAT, "DELETE FROM document WHERE position >= ?1", [Col(end)]).map(drop)
}
