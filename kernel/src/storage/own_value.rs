//! Own values: single values that the Kernel keeps for itself, by name.

use rusqlite::{Connection, params};
use serde::{Serialize, de::DeserializeOwned};

use super::{Storage, Trail, error::StorageError, statement};

const WHAT: &str = "value of the Kernel's own";

impl Storage {
    /// The value kept under a name.
    ///
    /// # Errors
    /// `Row` if another kind of value is; what every read may meet.
    pub async fn own_value<T: DeserializeOwned>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, StorageError> {
        let text = self.read(move |sql| text(sql, name)).await?;
        parsed(text)
    }

    /// Keeps a value under a name, in place of the one before.
    ///
    /// # Errors
    /// `Row` if it has no form in JSON; what every write may meet.
    pub async fn put_own_value(
        &self,
        name: &'static str,
        value: &impl Serialize,
        trail: impl FnOnce(&()) -> Trail + Send + 'static,
    ) -> Result<(), StorageError> {
        let text = serialized(value)?;
        self.write(move |txn| {
            replace(txn.sql(), name, &text)?;
            txn.leave((), trail)
        })
        .await
    }
}

/// As [`Storage::own_value`], inside an operation.
pub(super) fn find<T: DeserializeOwned>(
    sql: &Connection,
    name: &'static str,
) -> Result<Option<T>, StorageError> {
    parsed(text(sql, name)?)
}

/// As [`Storage::put_own_value`], inside an operation.
pub(super) fn put(
    sql: &Connection,
    name: &'static str,
    value: &impl Serialize,
) -> Result<(), StorageError> {
    replace(sql, name, &serialized(value)?)
}

fn text(sql: &Connection, name: &'static str) -> Result<Option<String>, StorageError> {
    let select = "SELECT value FROM own_value WHERE name = ?1";
    statement::one(sql, WHAT, select, [name], |row| row.get(0))
}

fn replace(sql: &Connection, name: &'static str, text: &str) -> Result<(), StorageError> {
    let replace = "INSERT OR REPLACE INTO own_value (name, value) VALUES (?1, ?2)";
    statement::change(sql, WHAT, replace, params![name, text]).map(drop)
}

fn parsed<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>, StorageError> {
    let parsed = text.map(|text| serde_json::from_str(&text)).transpose();
    parsed.map_err(|_| StorageError::Row { what: WHAT })
}

fn serialized(value: &impl Serialize) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|_| StorageError::Row { what: WHAT })
}
