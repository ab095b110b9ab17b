//! What the Kernel keeps: the one place that speaks SQL.
//!
//! SQLite is embedded, and nothing of its shape shows: domain types go in and come out of `async`
//! methods, one a use case. Every change goes through one writer, which takes many callers'
//! operations into one transaction and answers them after its commit; readers have connections of
//! their own. What a call must know without waiting is in the [`Directory`].
//!
//! Every query that answers for a tenant carries the tenant. Those that don't are the
//! administration's, and say so.

mod agent;
mod alert;
mod audit;
mod column;
mod counts;
mod directory;
mod document;
mod enroll_token;
mod error;
mod identity;
mod ledger;
mod limits;
mod migrate;
mod own_value;
#[cfg(test)]
mod plan;
mod provider;
mod reader;
mod runtime;
mod runtime_token;
mod site;
mod statement;
mod tenant;
mod trail;
mod txn;
mod usage;
mod writer;

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
};

use rusqlite::Connection;

use farhold_audit::Epoch;
use farhold_bundle::KeyId;
use farhold_contract::Timestamp;

pub use agent::{Agent, AgentHeartbeat, HeartbeatNoted, IssuedCertificate, SeenInstance};
pub use alert::{Acknowledged, Alert, AlertFilter, AlertId, NewAlert, Raised};
pub use audit::{
    Appended, AuditEntry, AuditPage, AuditQuery, Batch, BranchId, Cursor, CursorError, DeadLetter,
    DeadLetterPage, EventIdentity, HeldBranch, HeldRecord, MissingRun, Order, OwnRecord, Refused,
    Taken, TakenBody, TakenRecord,
};
pub use counts::Counts;
pub use directory::{AgentFacts, Directory, Reported, RuntimeFacts, TokenHolder};
pub use enroll_token::{EnrollToken, EnrollUse, Enrolled, Enrollment};
pub use error::StorageError;
pub use identity::IdentityClaim;
pub use ledger::{HeldEntry, LedgerEntry, LedgerHead};
pub use limits::Limits;
pub use provider::{IdentityProvider, RoleMap};
pub use runtime::{Origin, ProposedId, Registered, Registration, Runtime, RuntimeHeartbeat};
pub use runtime_token::RuntimeToken;
pub use site::LicenseSites;
pub use tenant::Tenant;
pub use trail::{Trail, no_trail};
pub use usage::{IdempotentAnswer, Ledger, StoredAnswer};

use reader::Readers;
use txn::Txn;
use writer::Writer;

/// The open storage. A clone is another hand on the same one; the last one dropped finishes what
/// was queued and closes it.
#[derive(Clone)]
pub struct Storage {
    inner: Arc<Inner>,
}

/// Whose audit chain the Kernel's own events are linked to.
#[derive(Debug, Clone, Copy)]
pub struct OwnChain {
    /// The Kernel's receipt key.
    pub key_id: KeyId,
    /// 16 random bytes, for the chain that begins if this key has none yet.
    pub epoch: Epoch,
    /// The time.
    pub now: Timestamp,
}

/// In this order they are dropped: the threads end before the lock is given back.
struct Inner {
    writer: Writer,
    readers: Readers,
    directory: Arc<Directory>,
    /// The branch of the Kernel's own chain.
    own: BranchId,
    _lock: File,
}

impl Storage {
    /// Opens a storage, or makes one. Blocks: it is called before anything is served.
    ///
    /// # Errors
    /// [`StorageError`]: `InUse` if another process has it open; `NewerSchema` changes nothing.
    pub fn open(path: &Path, own: OwnChain, limits: Limits) -> Result<Self, StorageError> {
        let lock = lock(path)?;
        let mut connection =
            Connection::open(path).map_err(StorageError::unavailable("be opened"))?;
        migrate::schema(&connection)?;
        configure(&connection).map_err(StorageError::unavailable("be configured"))?;
        migrate::migrate(&mut connection, path)?;
        let directory = Arc::new(Directory::load(&connection)?);
        let live = audit::open_own_chain(&mut connection, own)?;
        let own = BranchId(live.own_branch);
        let readers = Readers::start(path, &limits)?;
        let writer = Writer::start(connection, live, Arc::clone(&directory), &limits)?;
        Ok(Self { inner: Arc::new(Inner { writer, readers, directory, own, _lock: lock }) })
    }

    /// Who is known, without waiting, as of the last commit.
    pub fn directory(&self) -> &Directory {
        &self.inner.directory
    }

    /// Runs an operation on the writer, and answers once its group is on disk.
    async fn write<T, O>(&self, operation: O) -> Result<T, StorageError>
    where
        T: Send + 'static,
        O: FnOnce(&mut Txn<'_>) -> Result<T, StorageError> + Send + 'static,
    {
        self.write_weighing(0, operation).await
    }

    /// As [`Self::write`], for an operation that brings this many bytes along.
    async fn write_weighing<T, O>(&self, bytes: usize, operation: O) -> Result<T, StorageError>
    where
        T: Send + 'static,
        O: FnOnce(&mut Txn<'_>) -> Result<T, StorageError> + Send + 'static,
    {
        self.inner.writer.submit(bytes, operation)?.await.map_err(|_| StorageError::Closed)?
    }

    /// Runs a short read on a reader.
    async fn read<T, Q>(&self, query: Q) -> Result<T, StorageError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    {
        self.inner.readers.submit(query)?.await.map_err(|_| StorageError::Closed)?
    }
}

/// One process a database: the writer's own memory is true only while nobody else writes.
fn lock(path: &Path) -> Result<File, StorageError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = StorageError::file("lock", path);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(StorageError::file("open the lock of", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::InUse),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Pragmas that can't be part of a migration's transaction.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Answered means on disk: every commit is synced before its callers are answered.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A checkpoint syncs twice more; 32 MiB of log keeps that rare without letting it grow large.
    connection.pragma_update(None, "wal_autocheckpoint", 8192)?;
    connection.pragma_update(None, "journal_size_limit", 128 * 1024 * 1024)?;
    // The indexes' growing ends stay in memory: 32 MiB, whatever the database's size.
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}
