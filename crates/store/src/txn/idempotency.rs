//! Answers kept so that a consuming check can be repeated (contract v0.2, `Idempotency-Key`).

use rusqlite::OptionalExtension;

use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{RuntimeId, TenantId},
};

use super::Txn;
use crate::error::StoreError;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotentAnswer {
    /// Nothing: the request is new.
    New,
    /// It was answered: these bytes.
    Replay(Vec<u8>),
    /// It was used with another body.
    Conflict,
    /// The runtime has its whole number of keys.
    TooMany,
}

/// An answer to keep.
#[derive(Debug, Clone)]
pub struct StoredAnswer<'a> {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime.
    pub runtime_id: RuntimeId,
    /// The key.
    pub key: &'a str,
    /// The hash of the request's body.
    pub body_sha256: Sha256Digest,
    /// The answer's bytes.
    pub answer: &'a [u8],
    /// Until when it is kept, in the agent's own time.
    pub expires_at: Timestamp,
}

/// Most keys of one runtime within the hour.
const KEYS_MAX: i64 = 1_000_000;
/// Most expired answers forgotten at once: callers wait behind it.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

impl Txn<'_> {
    /// Looks a key up. `mark` is the agent's own time, which only moves forward.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn idempotent(
        &self,
        tenant_id: TenantId,
        runtime_id: RuntimeId,
        key: &str,
        body_sha256: Sha256Digest,
        mark: Timestamp,
    ) -> Result<IdempotentAnswer, StoreError> {
        let look = || -> rusqlite::Result<IdempotentAnswer> {
            let kept = self
                .sql()
                .prepare_cached(
                    "SELECT body_sha256, answer FROM idempotency
                     WHERE tenant_id = ?1 AND runtime_id = ?2 AND key = ?3 AND expires_at > ?4",
                )?
                .query_row(
                    (tenant_id.as_bytes(), runtime_id.as_bytes(), key, mark.as_ms()),
                    |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Vec<u8>>(1)?)),
                )
                .optional()?;
            if let Some((sha256, answer)) = kept {
                let same = sha256 == *body_sha256.as_bytes();
                return Ok(if same {
                    IdempotentAnswer::Replay(answer)
                } else {
                    IdempotentAnswer::Conflict
                });
            }
            if self.keys_of(runtime_id)? < KEYS_MAX {
                return Ok(IdempotentAnswer::New);
            }
            // Expired keys count until they are forgotten: what is over must not refuse what is new.
            self.forget_expired(mark, FORGOTTEN_AT_ONCE)?;
            let full = self.keys_of(runtime_id)? >= KEYS_MAX;
            Ok(if full { IdempotentAnswer::TooMany } else { IdempotentAnswer::New })
        };
        look().map_err(StoreError::sqlite("look an idempotency key up"))
    }

    /// Keeps an answer, and forgets up to two that have expired: the table shrinks as it is used.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn keep_answer(
        &mut self,
        stored: &StoredAnswer<'_>,
        mark: Timestamp,
    ) -> Result<(), StoreError> {
        let keep = || -> rusqlite::Result<()> {
            // An expired row under the same key would be in the way.
            self.forget(
                "DELETE FROM idempotency WHERE tenant_id = ?1 AND runtime_id = ?2 AND key = ?3 RETURNING runtime_id",
                (stored.tenant_id.as_bytes(), stored.runtime_id.as_bytes(), stored.key),
            )?;
            self.forget_expired(mark, 2)?;
            self.sql()
                .prepare_cached("INSERT INTO idempotency VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute((
                stored.tenant_id.as_bytes(),
                stored.runtime_id.as_bytes(),
                stored.key,
                stored.body_sha256.as_bytes(),
                stored.answer,
                stored.expires_at.as_ms(),
            ))?;
            self.sql()
                .prepare_cached(
                    "INSERT INTO idempotency_keys VALUES (?1, 1)
                     ON CONFLICT (runtime_id) DO UPDATE SET keys = keys + 1",
                )?
                .execute([stored.runtime_id.as_bytes()])
                .map(drop)
        };
        keep().map_err(StoreError::sqlite("keep an answer"))
    }

    /// Forgets at most a thousand answers that have expired; returns whether there were any.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn forget_answers(&mut self, mark: Timestamp) -> Result<bool, StoreError> {
        self.forget_expired(mark, FORGOTTEN_AT_ONCE)
            .map(|forgotten| forgotten > 0)
            .map_err(StoreError::sqlite("forget answers"))
    }

    fn forget_expired(&self, mark: Timestamp, most: i64) -> rusqlite::Result<usize> {
        self.forget(
            "DELETE FROM idempotency WHERE (tenant_id, runtime_id, key) IN
               (SELECT tenant_id, runtime_id, key FROM idempotency WHERE expires_at <= ?1 LIMIT ?2)
             RETURNING runtime_id",
            [mark.as_ms(), most],
        )
    }

    fn keys_of(&self, runtime_id: RuntimeId) -> rusqlite::Result<i64> {
        self.sql()
            .prepare_cached("SELECT keys FROM idempotency_keys WHERE runtime_id = ?1")?
            .query_row([runtime_id.as_bytes()], |row| row.get(0))
            .optional()
            .map(|keys| keys.unwrap_or(0))
    }

    fn forget(&self, delete: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<usize> {
        let mut delete = self.sql().prepare_cached(delete)?;
        let forgotten: Vec<[u8; 16]> =
            delete.query_map(parameters, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let count = forgotten.len();
        for runtime_id in forgotten {
            self.sql()
                .prepare_cached(
                    "UPDATE idempotency_keys SET keys = keys - 1 WHERE runtime_id = ?1",
                )?
                .execute([runtime_id])?;
        }
        Ok(count)
    }
}
