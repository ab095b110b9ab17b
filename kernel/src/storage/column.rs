//! Columns: domain values as the database holds them. Ids, keys and hashes are blobs, times are
//! milliseconds, words of a closed list are text, and what is never searched is JSON.
//!
//! Written with [`Col`], [`Word`], [`Json`] in `params!`, read with [`get`], [`word`], [`json`].

use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Value, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};

use farhold_audit::{Epoch, Head};
use farhold_bundle::{KeyId, PublicKey};
use farhold_contract::{
    Sha256Digest, Timestamp,
    date::Date,
    id::{EventId, IdentityId, LicenseId, RuntimeId, TenantId, TokenId},
};

use super::error::StorageError;

/// A domain value that fits one column.
pub(super) trait Column: Sized {
    fn to_column(&self) -> rusqlite::Result<Value>;

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self>;
}

/// A value for `params!`: `Col(tenant_id)`, `Col(at)`, `Col(agent)` for an `Option`.
pub(super) struct Col<T>(pub(super) T);

/// A word of a closed list for `params!`: whatever serializes as one string.
pub(super) struct Word<T>(pub(super) T);

/// Anything that serializes, as JSON text for `params!`.
pub(super) struct Json<T>(pub(super) T);

/// Reads a column.
pub(super) fn get<T: Column>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    row.get::<_, Col<T>>(index).map(|Col(value)| value)
}

/// Reads a column of a closed list of words.
pub(super) fn word<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    row.get::<_, Word<T>>(index).map(|Word(value)| value)
}

/// Reads a column of JSON.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    row.get::<_, Json<T>>(index).map(|Json(value)| value)
}

/// Tells what a statement met: a row that does not hold what this version writes, or a database
/// that does not answer. For `map_err`: `rows("tenant")`.
pub(super) fn rows(what: &'static str) -> impl Fn(rusqlite::Error) -> StorageError + Copy {
    use rusqlite::Error;
    move |error| match error {
        Error::FromSqlConversionFailure(..)
        | Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..) => {
            tracing::error!(
                error.message = &error as &dyn std::error::Error,
                row = what,
                "the database holds a row that can't be read"
            );
            StorageError::Row { what }
        }
        error => StorageError::unavailable("read or write a row")(error),
    }
}

impl<T: Column> ToSql for Col<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_column().map(ToSqlOutput::Owned)
    }
}

impl<T: Column> FromSql for Col<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        T::from_column(value).map(Self)
    }
}

impl<T: Serialize> ToSql for Word<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match serde_json::to_value(&self.0).map_err(unwritable)? {
            serde_json::Value::String(word) => Ok(ToSqlOutput::Owned(Value::Text(word))),
            _ => Err(unwritable("not one word")),
        }
    }
}

impl<T: DeserializeOwned> FromSql for Word<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word = serde_json::Value::String(value.as_str()?.to_owned());
        serde_json::from_value(word).map(Self).map_err(FromSqlError::other)
    }
}

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0)
            .map(|text| ToSqlOutput::Owned(Value::Text(text)))
            .map_err(unwritable)
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

fn unwritable<E>(error: E) -> rusqlite::Error
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

fn bytes<const N: usize>(value: ValueRef<'_>) -> FromSqlResult<[u8; N]> {
    let blob = value.as_blob()?;
    blob.try_into()
        .map_err(|_| FromSqlError::InvalidBlobSize { expected_size: N, blob_size: blob.len() })
}

/// NULL for none.
impl<T: Column> Column for Option<T> {
    fn to_column(&self) -> rusqlite::Result<Value> {
        self.as_ref().map_or(Ok(Value::Null), Column::to_column)
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::from_column(value).map(Some),
        }
    }
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl Column for $id {
            fn to_column(&self) -> rusqlite::Result<Value> {
                Ok(Value::Blob(self.as_bytes().to_vec()))
            }

            fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::from_bytes(bytes(value)?).map_err(FromSqlError::other)
            }
        }
    )*};
}

ids! { EventId IdentityId LicenseId RuntimeId TenantId TokenId }

macro_rules! hashes {
    ($($hash:ident)*) => {$(
        impl Column for $hash {
            fn to_column(&self) -> rusqlite::Result<Value> {
                Ok(Value::Blob(self.as_bytes().to_vec()))
            }

            fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
                bytes(value).map(Self::new)
            }
        }
    )*};
}

hashes! { Epoch Head KeyId Sha256Digest }

impl Column for PublicKey {
    fn to_column(&self) -> rusqlite::Result<Value> {
        Ok(Value::Blob(self.as_bytes().to_vec()))
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_bytes(&bytes(value)?).map_err(FromSqlError::other)
    }
}

impl Column for Timestamp {
    fn to_column(&self) -> rusqlite::Result<Value> {
        Ok(Value::Integer(self.as_ms()))
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self::from_ms)
    }
}

impl Column for Date {
    fn to_column(&self) -> rusqlite::Result<Value> {
        Ok(Value::Text(self.to_string()))
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

/// Up to SQLite's largest integer, far beyond what anything counted here reaches.
impl Column for u64 {
    fn to_column(&self) -> rusqlite::Result<Value> {
        i64::try_from(*self).map(Value::Integer).map_err(unwritable)
    }

    fn from_column(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        Self::try_from(number).map_err(|_| FromSqlError::OutOfRange(number))
    }
}
