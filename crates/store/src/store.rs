//! The store: opened by its one owner, who alone begins transactions.

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, TransactionBehavior};

use farhold_audit::{ChainPosition, Epoch, Head, Opening, Previous};
use farhold_bundle::KeyId;
use farhold_contract::{Timestamp, id::TenantId};
use farhold_policy::Counter;

use crate::{
    error::StoreError,
    migrate::{migrate, schema},
    txn::Txn,
};

/// The database's name in the state directory.
pub const DATABASE: &str = "agent.db";

/// The open database, with what every transaction starts from.
pub struct Store {
    connection: Connection,
    opening: Opening,
    live: Live,
}

/// What the last commit made true; a transaction stages beside it and moves it at its commit.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) chain: ChainPosition,
    pub(crate) acknowledged_seq: u64,
    pub(crate) counters: HashMap<String, Counter>,
    pub(crate) tenants: HashMap<TenantId, i64>,
}

/// What a new database is born with, if one must be.
#[derive(Debug, Clone)]
pub struct Birth {
    /// 16 random bytes.
    pub epoch: Epoch,
    /// The agent's key.
    pub device_key_id: KeyId,
    /// The time.
    pub now: Timestamp,
}

/// How a store was opened.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// The damaged database that was moved aside, if that was needed.
    pub moved_aside: Option<PathBuf>,
}

impl Store {
    /// Opens the database of a state directory, or makes one.
    ///
    /// A damaged database is moved aside, never deleted, and a new one begins a new epoch: the
    /// agent serves, and says so. Whoever calls holds the directory's lock.
    ///
    /// # Errors
    /// [`StoreError`]; `NewerSchema` changes nothing.
    pub fn open(state_dir: &Path, birth: &Birth) -> Result<Opened, StoreError> {
        let path = state_dir.join(DATABASE);
        match Self::open_file(&path, birth) {
            Ok(store) => Ok(Opened { store, moved_aside: None }),
            Err(error) if error.is_corruption() => Self::open_anew(state_dir, birth),
            Err(error) => Err(error),
        }
    }

    /// Moves the database of a state directory aside and begins a new one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_anew(state_dir: &Path, birth: &Birth) -> Result<Opened, StoreError> {
        let path = state_dir.join(DATABASE);
        let aside = move_aside(&path, birth.now)?;
        let store = Self::open_file(&path, birth)?;
        Ok(Opened { store, moved_aside: Some(aside) })
    }

    fn open_file(path: &Path, birth: &Birth) -> Result<Self, StoreError> {
        let fresh = !path.exists();
        let mut connection = Connection::open(path).map_err(StoreError::sqlite("be opened"))?;
        schema(&connection)?;
        configure(&connection).map_err(StoreError::sqlite("be configured"))?;
        migrate(&mut connection, path)?;
        if fresh {
            sync_directory(path)?;
        }
        let opening = load_or_begin_epoch(&mut connection, birth)?;
        let live = load_live(&connection, &opening)?;
        Ok(Self { connection, opening, live })
    }

    /// Begins the one transaction at a time; dropped without a commit, it leaves no trace.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn begin(&mut self) -> Result<Txn<'_>, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::sqlite("begin a transaction"))?;
        Ok(Txn::new(transaction, &mut self.live))
    }

    /// How this database's epoch began.
    pub const fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The last record and its head.
    pub const fn chain(&self) -> &ChainPosition {
        &self.live.chain
    }

    /// The last record receipted; 0 for none.
    pub const fn acknowledged_seq(&self) -> u64 {
        self.live.acknowledged_seq
    }

    /// Every counter, by its key.
    pub fn counters(&self) -> impl Iterator<Item = (&str, Counter)> {
        self.live.counters.iter().map(|(key, counter)| (key.as_str(), *counter))
    }

    /// The database's pages in use, in bytes.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        used_bytes(&self.connection).map_err(StoreError::sqlite("tell its size"))
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Pages in use, in bytes: not what pruning has freed for reuse, not the log.
pub(crate) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let figure = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = figure("page_count")? - figure("freelist_count")?;
    Ok((pages * figure("page_size")?).unsigned_abs())
}

/// Pragmas that can't be part of a migration's transaction.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Only a database without tables takes it: it leaves open giving pages back. Today they are reused.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Acknowledged means on disk: every commit is synced before it is answered.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A checkpoint syncs twice more; 16 MiB of log keeps that rare without letting it grow large.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn load_or_begin_epoch(connection: &mut Connection, birth: &Birth) -> Result<Opening, StoreError> {
    let loading = "load its epoch";
    let found = connection.query_row(
        "SELECT epoch, device_key_id, previous_epoch, previous_seq, previous_head FROM epoch",
        [],
        |row| {
            Ok((
                row.get::<_, [u8; 16]>(0)?,
                row.get::<_, [u8; 32]>(1)?,
                row.get::<_, [u8; 16]>(2)?,
                row.get::<_, i64>(3)?,
                row.get::<_, [u8; 32]>(4)?,
            ))
        },
    );
    match found {
        Ok((epoch, key, previous_epoch, previous_seq, previous_head)) => Ok(Opening {
            device_key_id: KeyId::new(key),
            epoch: Epoch::new(epoch),
            previous: Previous {
                epoch: Epoch::new(previous_epoch),
                seq: previous_seq.unsigned_abs(),
                head: Head::new(previous_head),
            },
        }),
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            let opening = Opening {
                device_key_id: birth.device_key_id,
                epoch: birth.epoch,
                previous: Previous::NONE,
            };
            connection
                .execute(
                    "INSERT INTO epoch VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
                    (
                        opening.epoch.as_bytes(),
                        opening.device_key_id.as_bytes(),
                        opening.previous.epoch.as_bytes(),
                        opening.previous.seq as i64,
                        opening.previous.head.as_bytes(),
                        birth.now.as_ms(),
                    ),
                )
                .map_err(StoreError::sqlite("begin an epoch"))?;
            Ok(opening)
        }
        Err(source) => Err(StoreError::Sqlite { operation: loading, source }),
    }
}

fn load_live(connection: &Connection, opening: &Opening) -> Result<Live, StoreError> {
    let load = || -> rusqlite::Result<Live> {
        let last = connection.query_row(
            "SELECT seq, head FROM record ORDER BY seq DESC LIMIT 1",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?)),
        );
        let acknowledged =
            connection.query_row("SELECT seq FROM receipt ORDER BY seq DESC LIMIT 1", [], |row| {
                row.get::<_, i64>(0)
            });
        let chain = match last {
            Ok((seq, head)) => ChainPosition { seq: seq.unsigned_abs(), head: Head::new(head) },
            Err(rusqlite::Error::QueryReturnedNoRows) => ChainPosition::start(opening),
            Err(error) => return Err(error),
        };
        let acknowledged_seq = match acknowledged {
            Ok(seq) => seq.unsigned_abs(),
            Err(rusqlite::Error::QueryReturnedNoRows) => 0,
            Err(error) => return Err(error),
        };
        let mut statement = connection.prepare("SELECT key, window_start, used FROM counter")?;
        let counters = statement
            .query_map([], |row| {
                let window_start: Option<i64> = row.get(1)?;
                let used: i64 = row.get(2)?;
                let counter = Counter {
                    window_start: window_start.map(Timestamp::from_ms),
                    used: used.unsigned_abs(),
                };
                Ok((row.get(0)?, counter))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let mut statement = connection.prepare("SELECT tenant_id, id FROM tenant")?;
        let tenants = statement
            .query_map([], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get(1)?)))?
            .filter_map(|row| {
                row.map(|(id, number)| TenantId::from_bytes(id).ok().map(|id| (id, number)))
                    .transpose()
            })
            .collect::<rusqlite::Result<_>>()?;
        Ok(Live { chain, acknowledged_seq, counters, tenants })
    };
    load().map_err(StoreError::sqlite("load its state"))
}

fn move_aside(path: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let aside = path.with_extension(format!("db.damaged-{}", now.as_ms()));
    for suffix in ["", "-wal", "-shm"] {
        let from = with_suffix(path, suffix);
        if from.exists() {
            let to = with_suffix(&aside, suffix);
            std::fs::rename(&from, &to).map_err(|source| StoreError::File {
                operation: "move aside",
                path: from,
                source,
            })?;
        }
    }
    sync_directory(path)?;
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|source| {
        StoreError::File { operation: "sync", path: directory.to_owned(), source }
    })
}
