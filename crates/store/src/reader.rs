//! A read-only connection for threads that don't own the store: short statements, page by page.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use farhold_audit::{Body, Class, Head, Link, WireRecord, Withheld, event_hash};
use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{EventId, TenantId},
};

use crate::{
    error::StoreError,
    store::{DATABASE, used_bytes},
};

/// Reads what has been committed.
pub struct Reader {
    connection: Connection,
}

/// One record as it is kept.
#[derive(Debug, Clone)]
pub struct KeptRecord {
    /// The record as exports carry it.
    pub wire: WireRecord<'static>,
    /// The head after it.
    pub head: Head,
}

/// The queue, without counting rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueFigures {
    /// The database's pages in use, in bytes.
    pub bytes: u64,
    /// When the oldest record not yet receipted was made.
    pub oldest_at: Option<Timestamp>,
    /// Losses that policy allowed, by reason; this version allows none.
    pub lost: BTreeMap<String, u64>,
}

/// A record whose content the Kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The record.
    pub seq: u64,
    /// The organization it belongs to.
    pub tenant_id: TenantId,
    /// The event.
    pub event_id: EventId,
    /// Why it was refused: a code of the Kernel's.
    pub code: String,
    /// What is wrong with it.
    pub detail: String,
    /// When the agent heard of it.
    pub refused_at: Timestamp,
}

const COLUMNS: &str = "seq, recorded_at, tenant_id, class, salt, event, event_hash, head
     FROM record JOIN tenant ON tenant.id = record.tenant";

impl Reader {
    /// Opens the database of a state directory for reading.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        let path = state_dir.join(DATABASE);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags)
            .map_err(StoreError::sqlite("be opened for reading"))?;
        Ok(Self { connection })
    }

    /// At most `limit` records from `from` on, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn records(&self, from: u64, limit: usize) -> Result<Vec<KeptRecord>, StoreError> {
        self.select(
            &format!("SELECT {COLUMNS} WHERE seq >= ?1 ORDER BY seq LIMIT ?2"),
            (from as i64, limit as i64),
        )
    }

    /// The last `count` records, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tail(&self, count: usize) -> Result<Vec<KeptRecord>, StoreError> {
        let mut records =
            self.select(&format!("SELECT {COLUMNS} ORDER BY seq DESC LIMIT ?1"), [count as i64])?;
        records.reverse();
        Ok(records)
    }

    /// The head after a record; `None` if it is not kept.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn head_at(&self, seq: u64) -> Result<Option<Head>, StoreError> {
        self.connection
            .query_row("SELECT head FROM record WHERE seq = ?1", [seq as i64], |row| row.get(0))
            .optional()
            .map(|head| head.map(Head::new))
            .map_err(StoreError::sqlite("look a head up"))
    }

    /// The first receipt kept that confirms `seq` or a later record: what it confirms, and its line.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn receipt_from(&self, seq: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.connection
            .query_row(
                "SELECT seq, line FROM receipt WHERE seq >= ?1 ORDER BY seq LIMIT 1",
                [seq as i64],
                |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)),
            )
            .optional()
            .map_err(StoreError::sqlite("look a receipt up"))
    }

    /// The first record kept; `None` for an empty log.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn first_seq(&self) -> Result<Option<u64>, StoreError> {
        self.connection
            .query_row("SELECT seq FROM record ORDER BY seq LIMIT 1", [], |row| {
                row.get::<_, i64>(0)
            })
            .optional()
            .map(|seq| seq.map(i64::unsigned_abs))
            .map_err(StoreError::sqlite("look the first record up"))
    }

    /// At most `limit` dead letters after record `after`, in order; of one tenant, or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn dead_letters(
        &self,
        tenant_id: Option<TenantId>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Option<DeadLetter>>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT seq, tenant_id, event_id, code, detail, refused_at
                 FROM dead_letter JOIN tenant ON tenant.id = dead_letter.tenant
                 WHERE seq > ?1 AND (?2 IS NULL OR tenant_id = ?2) ORDER BY seq LIMIT ?3",
            )?;
            let tenant = tenant_id.as_ref().map(TenantId::as_bytes);
            statement.query_map((after as i64, tenant, limit as i64), dead_letter)?.collect()
        };
        let rows = read().map_err(StoreError::sqlite("read its dead letters"))?;
        rows.into_iter().collect::<Option<_>>().ok_or(StoreError::Row { what: "dead letter" })
    }

    /// The queue's figures; `acknowledged_seq` is the last record receipted.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn queue(&self, acknowledged_seq: u64) -> Result<QueueFigures, StoreError> {
        let read = || -> rusqlite::Result<QueueFigures> {
            let oldest: Option<i64> = self
                .connection
                .query_row(
                    "SELECT recorded_at FROM record WHERE seq > ?1 ORDER BY seq LIMIT 1",
                    [acknowledged_seq as i64],
                    |row| row.get(0),
                )
                .optional()?;
            let mut statement =
                self.connection.prepare_cached("SELECT reason, events FROM lost")?;
            let lost = statement
                .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(QueueFigures {
                bytes: used_bytes(&self.connection)?,
                oldest_at: oldest.map(Timestamp::from_ms),
                lost,
            })
        };
        read().map_err(StoreError::sqlite("tell its queue"))
    }

    fn select(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<KeptRecord>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Option<KeptRecord>>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map(parameters, kept)?.collect()
        };
        let rows = read().map_err(StoreError::sqlite("read its records"))?;
        rows.into_iter().collect::<Option<_>>().ok_or(StoreError::Row { what: "record" })
    }
}

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<Option<DeadLetter>> {
    let (Ok(tenant_id), Ok(event_id)) =
        (TenantId::from_bytes(row.get(1)?), EventId::from_bytes(row.get(2)?))
    else {
        return Ok(None);
    };
    Ok(Some(DeadLetter {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        tenant_id,
        event_id,
        code: row.get(3)?,
        detail: row.get(4)?,
        refused_at: Timestamp::from_ms(row.get(5)?),
    }))
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Option<KeptRecord>> {
    let (salt, event): (Option<[u8; 16]>, Option<Vec<u8>>) = (row.get(4)?, row.get(5)?);
    let erased: Option<[u8; 32]> = row.get(6)?;
    let event = event.map(String::from_utf8);
    let (event_hash, body) = match (salt, event, erased) {
        (Some(salt), Some(Ok(event)), _) => {
            (event_hash(&salt, event.as_bytes()), Body::Kept { salt, event: event.into() })
        }
        (_, None, Some(hash)) => (Sha256Digest::new(hash), Body::Withheld(Withheld::Erased)),
        _ => return Ok(None),
    };
    let (Ok(tenant_id), Ok(class)) =
        (TenantId::from_bytes(row.get(2)?), Class::from_u8(row.get(3)?))
    else {
        return Ok(None);
    };
    let link = Link {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        recorded_at: Timestamp::from_ms(row.get(1)?),
        tenant_id,
        class,
        event_hash,
    };
    Ok(Some(KeptRecord { wire: WireRecord { link, body }, head: Head::new(row.get(7)?) }))
}
