//! The audit log: linking bodies into the chain.

use rusqlite::OptionalExtension;

use farhold_audit::{Class, event_hash};
use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{EventId, TenantId},
};

use super::Txn;
use crate::error::StoreError;

/// An event ready to be linked: hashed by whoever brings it, so that the owner only links.
#[derive(Debug, Clone)]
pub struct Body {
    /// The organization.
    pub tenant_id: TenantId,
    /// What kind of event it is, by the closed table.
    pub class: Class,
    /// The event's id.
    pub event_id: EventId,
    /// 16 random bytes.
    pub salt: [u8; 16],
    /// The event's JSON after redaction, kept byte for byte.
    pub event: Vec<u8>,
    /// The hash of salt and event.
    pub event_hash: Sha256Digest,
}

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is the record with this number.
    Record(u64),
    /// The same event has been kept before: a retry.
    Duplicate,
    /// Another event has been kept under this id.
    Conflict,
}

impl Body {
    /// Hashes an event.
    pub fn new(
        tenant_id: TenantId,
        class: Class,
        event_id: EventId,
        salt: [u8; 16],
        event: Vec<u8>,
    ) -> Self {
        let event_hash = event_hash(&salt, &event);
        Self { tenant_id, class, event_id, salt, event, event_hash }
    }
}

impl Txn<'_> {
    /// Links one body into the chain (`bundle.md` §6), unless its event is kept already.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn append(&mut self, body: &Body, recorded_at: Timestamp) -> Result<Appended, StoreError> {
        let tenant = self.tenant_number(body.tenant_id)?;
        let mut chain = self.chain;
        let link = chain.append(recorded_at, body.tenant_id, body.class, body.event_hash);
        let inserted = self
            .sql()
            .prepare_cached(
                "INSERT INTO record (seq, recorded_at, tenant, class, event_id, salt, event, head)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (event_id, tenant) DO NOTHING",
            )
            .and_then(|mut insert| {
                insert.execute((
                    link.seq as i64,
                    recorded_at.as_ms(),
                    tenant,
                    body.class.as_u8(),
                    body.event_id.as_bytes(),
                    &body.salt,
                    &body.event,
                    chain.head.as_bytes(),
                ))
            })
            .map_err(StoreError::sqlite("append a record"))?;
        if inserted == 0 {
            return self.compare_with_kept(body, tenant);
        }
        self.chain = chain;
        Ok(Appended::Record(link.seq))
    }

    fn compare_with_kept(&self, body: &Body, tenant: i64) -> Result<Appended, StoreError> {
        type Kept = (Option<Vec<u8>>, Option<[u8; 16]>, Option<[u8; 32]>);
        let kept: Kept = self
            .sql()
            .prepare_cached(
                "SELECT event, salt, event_hash FROM record WHERE event_id = ?1 AND tenant = ?2",
            )
            .and_then(|mut select| {
                select.query_row((body.event_id.as_bytes(), tenant), |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
            })
            .map_err(StoreError::sqlite("compare a retried event"))?;
        Ok(match kept {
            (Some(event), ..) if event == body.event => Appended::Duplicate,
            (None, Some(salt), Some(hash))
                if event_hash(&salt, &body.event).as_bytes() == &hash =>
            {
                Appended::Duplicate
            }
            // Erased together with its salt: there is nothing left to compare, and nothing to keep.
            (None, None, _) => Appended::Duplicate,
            _ => Appended::Conflict,
        })
    }

    fn tenant_number(&mut self, tenant_id: TenantId) -> Result<i64, StoreError> {
        if let Some(number) =
            self.live.tenants.get(&tenant_id).or_else(|| self.tenants.get(&tenant_id))
        {
            return Ok(*number);
        }
        let insert = || -> rusqlite::Result<i64> {
            let sql = self.sql();
            let known = sql
                .query_row(
                    "SELECT id FROM tenant WHERE tenant_id = ?1",
                    [tenant_id.as_bytes()],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(number) = known {
                return Ok(number);
            }
            sql.execute("INSERT INTO tenant (tenant_id) VALUES (?1)", [tenant_id.as_bytes()])?;
            Ok(sql.last_insert_rowid())
        };
        let number = insert().map_err(StoreError::sqlite("number a tenant"))?;
        self.tenants.insert(tenant_id, number);
        Ok(number)
    }

    /// Removes at most 1,000 of the oldest receipted records up to and including `seq`; returns how
    /// many. The last receipted one stays: its head is where the next export begins, and where the
    /// chain stands when nothing else is kept.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn prune(&mut self, seq: u64) -> Result<usize, StoreError> {
        let bound = seq.min(self.acknowledged_seq.saturating_sub(1));
        self.sql()
            .execute(
                "DELETE FROM record WHERE seq IN (SELECT seq FROM record WHERE seq <= ?1 ORDER BY seq LIMIT 1000)",
                [bound as i64],
            )
            .map_err(StoreError::sqlite("prune receipted records"))
    }
}
