//! What can go wrong with the storage, and whose move it is.

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
};

use farhold_contract::Code;

/// A failure of the storage. Nothing of the operation it happened in is kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// More was asked than it can queue: nothing was done.
    #[error("the storage has more to do than it can queue")]
    Overloaded,
    /// The database refused an operation.
    #[error("the database could not {operation}")]
    Unavailable {
        /// What was being done.
        operation: &'static str,
        /// What the database said.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// What was to be created is there already.
    #[error("the {what} exists")]
    Exists {
        /// What it is.
        what: &'static str,
    },
    /// What was named is not there.
    #[error("the {what} is not known")]
    Unknown {
        /// What it is.
        what: &'static str,
    },
    /// A row does not hold what this version writes.
    #[error("the database holds a {what} that can't be read")]
    Row {
        /// Which kind of row.
        what: &'static str,
    },
    /// A file of the database could not be read or written.
    #[error("could not {operation} {}", .path.display())]
    File {
        /// What was being done.
        operation: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// A newer version wrote the database.
    #[error("the database has schema {found}; this version knows {known}")]
    NewerSchema {
        /// The schema it has.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// Another process has it open.
    #[error("the database is in use by another process")]
    InUse,
    /// The operation's own code failed; the others of its group were not touched.
    #[error("an operation was given up")]
    GivenUp,
    /// It is closing: nothing more is taken.
    #[error("the storage is closed")]
    Closed,
}

impl StorageError {
    pub(super) const fn unavailable(
        operation: &'static str,
    ) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Unavailable { operation, source: Arc::new(source) }
    }

    pub(super) fn thread(source: std::io::Error) -> Self {
        Self::Unavailable { operation: "start a thread", source: Arc::new(source) }
    }

    pub(super) fn file(
        operation: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { operation, path, source: Arc::new(source) }
    }

    /// Whether the same call may succeed a little later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Overloaded | Self::Unavailable { .. } | Self::Closed => true,
            Self::Exists { .. }
            | Self::Unknown { .. }
            | Self::Row { .. }
            | Self::File { .. }
            | Self::NewerSchema { .. }
            | Self::InUse
            | Self::GivenUp => false,
        }
    }

    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::NewerSchema { .. } => Code::StateNewerSchema,
            Self::File { .. } | Self::InUse => Code::StateUnusable,
            Self::Overloaded => Code::ServerOverloaded,
            Self::Unavailable { .. }
            | Self::Exists { .. }
            | Self::Unknown { .. }
            | Self::Row { .. }
            | Self::GivenUp
            | Self::Closed => Code::StoreUnavailable,
        }
    }
}
