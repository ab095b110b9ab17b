//! Statements: prepared once a connection, run, and their failures told.

use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Params, Row, ToSql,
    types::{ToSqlOutput, Value},
};

use super::{
    column::{Column, rows},
    error::StorageError,
};

/// Every row that a statement finds.
pub(super) fn all<T>(
    sql: &Connection,
    what: &'static str,
    statement: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StorageError> {
    let mut prepared = sql.prepare_cached(statement).map_err(rows(what))?;
    let found = prepared.query_map(params, read).map_err(rows(what))?;
    found.collect::<rusqlite::Result<_>>().map_err(rows(what))
}

/// The row that a statement finds, if any.
pub(super) fn one<T>(
    sql: &Connection,
    what: &'static str,
    statement: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StorageError> {
    let mut prepared = sql.prepare_cached(statement).map_err(rows(what))?;
    prepared.query_row(params, read).optional().map_err(rows(what))
}

/// Whether a statement finds a row.
pub(super) fn any(
    sql: &Connection,
    what: &'static str,
    statement: &str,
    params: impl Params,
) -> Result<bool, StorageError> {
    one(sql, what, statement, params, |_| Ok(())).map(|found| found.is_some())
}

/// Changes rows, and says how many.
///
/// # Errors
/// [`StorageError::Exists`] where the row would be a second one of its key.
pub(super) fn change(
    sql: &Connection,
    what: &'static str,
    statement: &str,
    params: impl Params,
) -> Result<usize, StorageError> {
    let mut prepared = sql.prepare_cached(statement).map_err(rows(what))?;
    prepared.execute(params).map_err(|error| match error {
        rusqlite::Error::SqliteFailure(failure, _)
            if failure.code == ErrorCode::ConstraintViolation
                && [
                    rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
                    rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE,
                    rusqlite::ffi::SQLITE_CONSTRAINT_ROWID,
                ]
                .contains(&failure.extended_code) =>
        {
            StorageError::Exists { what }
        }
        error => rows(what)(error),
    })
}

/// What ids of a page are greater than: the last one's of the page before, or nothing.
pub(super) struct After<T>(pub(super) Option<T>);

impl<T: Column> ToSql for After<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        // An empty blob is less than every other.
        let last = self.0.as_ref().map_or(Ok(Value::Blob(Vec::new())), Column::to_column);
        last.map(ToSqlOutput::Owned)
    }
}

/// How many rows a page has at most, as SQL counts.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
