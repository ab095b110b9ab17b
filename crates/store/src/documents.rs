//! Standing documents in the database: each line, in the order in which it is verified again.

use farhold_bundle::Standing;

use crate::{error::StoreError, store::Store, txn::Txn};

impl Store {
    /// The lines as they were stored; nothing of them is believed yet.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn document_lines(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
            let mut statement =
                self.connection().prepare("SELECT line FROM document ORDER BY position")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(StoreError::sqlite("read its documents"))
    }
}

impl Txn<'_> {
    /// Replaces every document by what stands now.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_documents(&mut self, standing: &Standing) -> Result<(), StoreError> {
        let write = || -> rusqlite::Result<()> {
            self.sql().execute("DELETE FROM document", [])?;
            let mut insert =
                self.sql().prepare_cached("INSERT INTO document (line) VALUES (?1)")?;
            standing.lines().try_for_each(|line| insert.execute([line]).map(drop))
        };
        write().map_err(StoreError::sqlite("write its documents"))
    }
}
