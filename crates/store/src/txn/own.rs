//! The agent's own small state: one JSON text a name.

use rusqlite::OptionalExtension;
use serde::{Serialize, de::DeserializeOwned};

use super::Txn;
use crate::{error::StoreError, store::Store};

impl Store {
    /// What is kept under a name; `None` if nothing is, or nothing this version can read: a
    /// damaged mark costs its history, never the service.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn own<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        self.connection()
            .query_row("SELECT value FROM own WHERE name = ?1", [name], |row| {
                row.get::<_, String>(0)
            })
            .optional()
            .map(|text| text.and_then(|text| serde_json::from_str(&text).ok()))
            .map_err(StoreError::sqlite("read its own state"))
    }
}

impl Txn<'_> {
    /// Keeps a value under a name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_own<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), StoreError> {
        let text = serde_json::to_string(value)
            .map_err(|_| StoreError::Row { what: "value of its own" })?;
        self.sql()
            .prepare_cached("INSERT INTO own (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2")
            .and_then(|mut upsert| upsert.execute((name, text)))
            .map(drop)
            .map_err(StoreError::sqlite("write its own state"))
    }
}
