//! Usage: what has been used up, and the answers kept for retries.

use rusqlite::{Connection, OptionalExtension, params};

use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{RuntimeId, TenantId},
};
use farhold_policy::{Counter, CounterKey};

use super::{
    Storage,
    audit::{Appended, OwnRecord, append},
    column::{Col, get, rows},
    error::StorageError,
    statement,
    txn::Txn,
};

/// Most keys kept for one runtime (contract v0.2 §4).
const KEYS_MAX: u64 = 1_000_000;
/// Answers forgotten in one step.
const FORGET_STEP: usize = 1_000;

/// What a decision reads and changes, all in one transaction.
pub struct Ledger<'l, 't>(&'l mut Txn<'t>);

/// An answer to be kept for its retries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// Its key.
    pub key: String,
    /// The hash of the request's body.
    pub body_sha256: Sha256Digest,
    /// The whole answer.
    pub answer: Vec<u8>,
    /// Until when it is kept.
    pub expires_at: Timestamp,
}

/// What is known of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotentAnswer {
    /// Nothing.
    New,
    /// The same request was answered so.
    Replay(Vec<u8>),
    /// Another request had this key.
    Conflict,
    /// The runtime has too many keys.
    TooMany,
}

impl Storage {
    /// Decides on the writer, in one transaction: nothing comes between what is read and what is
    /// changed.
    ///
    /// # Errors
    /// [`StorageError`]; one that `decide` returns takes back what it did.
    pub async fn decide<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Ledger<'_, '_>) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.write(move |txn| decide(&mut Ledger(txn))).await
    }

    /// One counter, as of the last commit.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn counter(&self, key: &CounterKey) -> Result<Option<Counter>, StorageError> {
        let (key, tenant_id) = (key.to_key_text(), key.tenant_id);
        self.read(move |sql| counter(sql, &key, tenant_id)).await
    }

    /// Every counter of an organization, by its key.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn counters(
        &self,
        tenant_id: TenantId,
    ) -> Result<Vec<(String, Counter)>, StorageError> {
        self.read(move |sql| {
            sql.prepare_cached(
                "SELECT key, window_start, used FROM counter WHERE tenant_id = ?1 ORDER BY key",
            )
            .and_then(|mut select| {
                select
                    .query_map([Col(tenant_id)], |row| {
                        let (window_start, used) = (get(row, 1)?, get(row, 2)?);
                        Ok((row.get(0)?, Counter { window_start, used }))
                    })?
                    .collect()
            })
            .map_err(rows("counter"))
        })
        .await
    }

    /// Forgets some of the answers that have expired; how many.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn forget_answers(&self, now: Timestamp) -> Result<usize, StorageError> {
        self.write(move |txn| forget(txn.sql(), now)).await
    }
}

impl Ledger<'_, '_> {
    /// A counter, with what this transaction has changed.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn counter(&mut self, key: &CounterKey) -> Result<Option<Counter>, StorageError> {
        counter(self.0.sql(), &key.to_key_text(), key.tenant_id)
    }

    /// Changes a counter.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn put_counter(&mut self, key: &CounterKey, counter: Counter) -> Result<(), StorageError> {
        let Counter { window_start, used } = counter;
        self.0
            .sql()
            .prepare_cached(
                "INSERT INTO counter (key, tenant_id, window_start, used) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE
                 SET window_start = excluded.window_start, used = excluded.used",
            )
            .and_then(|mut insert| {
                insert.execute(params![
                    key.to_key_text(),
                    Col(key.tenant_id),
                    Col(window_start),
                    Col(used)
                ])
            })
            .map(drop)
            .map_err(rows("counter"))
    }

    /// What is known of an idempotency key.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn idempotent(
        &mut self,
        tenant_id: TenantId,
        runtime_id: RuntimeId,
        key: &str,
        body_sha256: Sha256Digest,
        now: Timestamp,
    ) -> Result<IdempotentAnswer, StorageError> {
        let sql = self.0.sql();
        let kept: Option<(Sha256Digest, Vec<u8>)> = sql
            .prepare_cached(
                "SELECT body_sha256, answer FROM idempotency
                 WHERE tenant_id = ?1 AND runtime_id = ?2 AND key = ?3 AND expires_at > ?4",
            )
            .and_then(|mut select| {
                select
                    .query_row(params![Col(tenant_id), Col(runtime_id), key, Col(now)], |row| {
                        Ok((get(row, 0)?, row.get(1)?))
                    })
                    .optional()
            })
            .map_err(rows("idempotent answer"))?;
        match kept {
            Some((same, answer)) if same == body_sha256 => Ok(IdempotentAnswer::Replay(answer)),
            Some(_) => Ok(IdempotentAnswer::Conflict),
            None if self.keys(runtime_id)? < KEYS_MAX => Ok(IdempotentAnswer::New),
            None => Ok(IdempotentAnswer::TooMany),
        }
    }

    /// Keeps an answer for its retries, in the place of one that has expired.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn keep_answer(&mut self, answer: &StoredAnswer) -> Result<(), StorageError> {
        let StoredAnswer { tenant_id, runtime_id, key, body_sha256, answer, expires_at } = answer;
        let sql = self.0.sql();
        let replaced = remove(sql, *tenant_id, *runtime_id, key)?;
        sql.prepare_cached("INSERT INTO idempotency VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .and_then(|mut insert| {
                insert.execute(params![
                    Col(*tenant_id),
                    Col(*runtime_id),
                    key,
                    Col(*body_sha256),
                    answer,
                    Col(*expires_at)
                ])
            })
            .map_err(rows("idempotent answer"))?;
        count_keys(sql, *runtime_id, 1 - replaced as i64)
    }

    /// Links an event into the Kernel's own chain.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn append(&mut self, event: OwnRecord) -> Result<Appended, StorageError> {
        append(self.0, event)
    }

    fn keys(&self, runtime_id: RuntimeId) -> Result<u64, StorageError> {
        self.0
            .sql()
            .prepare_cached("SELECT keys FROM idempotency_keys WHERE runtime_id = ?1")
            .and_then(|mut select| {
                select.query_row([Col(runtime_id)], |row| get(row, 0)).optional()
            })
            .map(Option::unwrap_or_default)
            .map_err(rows("idempotent answer"))
    }
}

fn counter(
    sql: &Connection,
    key: &str,
    tenant_id: TenantId,
) -> Result<Option<Counter>, StorageError> {
    sql.prepare_cached("SELECT window_start, used FROM counter WHERE key = ?1 AND tenant_id = ?2")
        .and_then(|mut select| {
            select
                .query_row(params![key, Col(tenant_id)], |row| {
                    Ok(Counter { window_start: get(row, 0)?, used: get(row, 1)? })
                })
                .optional()
        })
        .map_err(rows("counter"))
}

fn count_keys(sql: &Connection, runtime_id: RuntimeId, by: i64) -> Result<(), StorageError> {
    sql.prepare_cached(
        "INSERT INTO idempotency_keys (runtime_id, keys) VALUES (?1, max(?2, 0))
         ON CONFLICT (runtime_id) DO UPDATE SET keys = max(keys + ?2, 0)",
    )
    .and_then(|mut insert| insert.execute(params![Col(runtime_id), by]))
    .map(drop)
    .map_err(rows("idempotent answer"))
}

fn forget(sql: &Connection, now: Timestamp) -> Result<usize, StorageError> {
    let mut select = sql
        .prepare_cached(
            "SELECT tenant_id, runtime_id, key FROM idempotency WHERE expires_at <= ?1
             ORDER BY expires_at LIMIT ?2",
        )
        .map_err(rows("idempotent answer"))?;
    let expired: Vec<(TenantId, RuntimeId, String)> = select
        .query_map(params![Col(now), FORGET_STEP as i64], |row| {
            Ok((get(row, 0)?, get(row, 1)?, row.get(2)?))
        })
        .and_then(Iterator::collect)
        .map_err(rows("idempotent answer"))?;
    for (tenant_id, runtime_id, key) in &expired {
        let removed = remove(sql, *tenant_id, *runtime_id, key)?;
        count_keys(sql, *runtime_id, -(removed as i64))?;
    }
    Ok(expired.len())
}

fn remove(
    sql: &Connection,
    tenant_id: TenantId,
    runtime_id: RuntimeId,
    key: &str,
) -> Result<usize, StorageError> {
    let delete = "DELETE FROM idempotency WHERE tenant_id = ?1 AND runtime_id = ?2 AND key = ?3";
    let key = params![Col(tenant_id), Col(runtime_id), key];
    statement::change(sql, "idempotent answer", delete, key)
}
