//! What can go wrong with the store, and whose move it is.

use std::{io::ErrorKind, path::PathBuf};

use farhold_contract::Code;

/// A failure of the store. Nothing of the transaction it happened in is kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused an operation.
    #[error("the database could not {operation}")]
    Sqlite {
        /// What was being done.
        operation: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A file beside the database could not be read or written.
    #[error("could not {operation} {}", .path.display())]
    File {
        /// What was being done.
        operation: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A newer version wrote the database.
    #[error("the database has schema {found}; this version knows {known}")]
    NewerSchema {
        /// The schema it has.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// A row does not hold what this version writes.
    #[error("the database holds a {what} that can't be read")]
    Row {
        /// Which kind of row.
        what: &'static str,
    },
}

impl StoreError {
    pub(crate) const fn sqlite(operation: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { operation, source }
    }

    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Sqlite { .. } | Self::Row { .. } => Code::StoreUnavailable,
            Self::File { .. } => Code::StateUnusable,
            Self::NewerSchema { .. } => Code::StateNewerSchema,
        }
    }

    /// Whether the disk has no room, as far as SQLite tells.
    pub fn is_full(&self) -> bool {
        use rusqlite::{ErrorCode::DiskFull, ffi::SQLITE_IOERR_SHMSIZE};
        match self {
            Self::Sqlite { source, .. } => source.sqlite_error().is_some_and(|error| {
                // The index of the log is made at each opening, and says only that it could not grow.
                error.code == DiskFull || error.extended_code == SQLITE_IOERR_SHMSIZE
            }),
            Self::File { source, .. } => {
                matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
            }
            Self::Row { .. } | Self::NewerSchema { .. } => false,
        }
    }

    /// Whether the database itself is damaged, as opposed to full, busy or unwritable.
    pub fn is_corruption(&self) -> bool {
        use rusqlite::{
            Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType},
            ErrorCode::{DatabaseCorrupt, NotADatabase},
        };
        match self {
            Self::Sqlite { source, .. } => match source {
                // A column of another type than its STRICT table allows: half a page is missing.
                FromSqlConversionFailure(..)
                | IntegralValueOutOfRange(..)
                | InvalidColumnType(..) => true,
                _ => matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)),
            },
            Self::Row { .. } => true,
            Self::File { .. } | Self::NewerSchema { .. } => false,
        }
    }
}
