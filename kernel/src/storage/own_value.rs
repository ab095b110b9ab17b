//! Own values: single values that the Kernel keeps for itself, by name.

use rusqlite::params;
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
        let text: Option<String> = self
            .read(move |sql| {
                let select = "SELECT value FROM own_value WHERE name = ?1";
                statement::one(sql, WHAT, select, [name], |row| row.get(0))
            })
            .await?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_| StorageError::Row { what: WHAT })
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
        let text = serde_json::to_string(value).map_err(|_| StorageError::Row { what: WHAT })?;
        self.write(move |txn| {
            let replace = "INSERT OR REPLACE INTO own_value (name, value) VALUES (?1, ?2)";
            statement::change(txn.sql(), WHAT, replace, params![name, text])?;
            txn.leave((), trail)
        })
        .await
    }
}
