//! Lists: events of one organization, its dead letters, and a whole chain for verification.

use rusqlite::{OptionalExtension, Row, params};

use farhold_audit::{Class, Epoch, Head, Link, Withheld, event_hash};
use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    id::{EventId, RuntimeId, TenantId},
};

use super::{
    super::{
        Storage,
        column::{Col, get, rows, word},
        error::StorageError,
    },
    branch::BranchId,
    cursor::Cursor,
    record::{Refused, TakenBody},
};

/// Rows looked at for one page, whatever the filters leave of them.
const SCANNED_MAX: usize = 20_000;

/// Which events of an organization.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// The organization.
    pub tenant_id: TenantId,
    /// Recorded at or after this.
    pub from: Option<Timestamp>,
    /// Recorded before this.
    pub to: Option<Timestamp>,
    /// What the type begins with.
    pub kind_prefix: Option<String>,
    /// One event.
    pub event_id: Option<EventId>,
    /// Of one runtime.
    pub runtime_id: Option<RuntimeId>,
    /// Through one agent.
    pub agent: Option<RuntimeId>,
    /// With this text in their bytes.
    pub text: Option<String>,
    /// In the order of arrival, or against it.
    pub order: Order,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// The order of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The last to arrive first.
    Newest,
    /// The first to arrive first.
    Oldest,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// The events; fewer than asked where many were looked at in vain.
    pub events: Vec<AuditEntry>,
    /// Where the next page begins; none: this was the last.
    pub next: Option<Cursor>,
}

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the listing.
    pub cursor: Cursor,
    /// Through whom it came; none: to the Kernel itself.
    pub agent: Option<RuntimeId>,
    /// Its chain's epoch.
    pub epoch: Epoch,
    /// Its record.
    pub seq: u64,
    /// When it was linked.
    pub recorded_at: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
    /// Its class.
    pub class: Class,
    /// Its bytes; none where they were withheld.
    pub event: Option<Vec<u8>>,
}

/// A page of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterPage {
    /// The letters, in the order of arrival.
    pub letters: Vec<DeadLetter>,
    /// Where the next page begins; none: this was the last.
    pub next: Option<Cursor>,
}

/// A record whose content was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its place in the listing.
    pub cursor: Cursor,
    /// Through whom it came.
    pub agent: Option<RuntimeId>,
    /// Its chain's epoch.
    pub epoch: Epoch,
    /// Its record.
    pub seq: u64,
    /// Why it was refused.
    pub code: Code,
    /// What is wrong with it.
    pub detail: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Its bytes; none where they were withheld.
    pub event: Option<Vec<u8>>,
}

/// A record of a chain, as it is verified again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// What the chain keeps of it.
    pub link: Link,
    /// The head that was kept with it.
    pub head: Head,
    /// Its event, or why it is not there.
    pub body: TakenBody,
    /// When it came.
    pub received_at: Timestamp,
    /// Why its content was refused, if it was.
    pub refused: Option<Refused>,
}

impl Storage {
    /// A page of an organization's events. It may be short, or empty, and still have a next one:
    /// so many rows are looked at and no more.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn audit_events(&self, query: AuditQuery) -> Result<AuditPage, StorageError> {
        self.read(move |sql| {
            let AuditQuery { tenant_id, kind_prefix, text, order, after, limit, .. } = &query;
            let Some(tenant) = number(sql, *tenant_id)? else {
                return Ok(AuditPage { events: Vec::new(), next: None });
            };
            let (comparison, direction, start) = match order {
                Order::Oldest => (">", "ASC", i64::MIN),
                Order::Newest => ("<", "DESC", i64::MAX),
            };
            let start = after.map_or(start, |Cursor(at)| at);
            // One event is found by its index; everything else is a walk through the tenant's own.
            let scanned = match query.event_id {
                Some(_) => "record WHERE event_id = ?2 AND tenant = ?1",
                None => "record WHERE tenant = ?1 AND ?2 IS NULL",
            };
            let statement = format!(
                "SELECT scanned.id, agent, epoch, seq, recorded_at, received_at, class, event,
                        refused_code IS NULL AND repeats IS NULL
                        AND (?4 IS NULL OR recorded_at >= ?4) AND (?5 IS NULL OR recorded_at < ?5)
                        AND (?6 IS NULL OR substr(record_kind.kind, 1, length(?6)) = ?6)
                        AND (?7 IS NULL OR runtime_id = ?7) AND (?8 IS NULL OR agent = ?8)
                        AND (?9 IS NULL OR instr(event, CAST(?9 AS BLOB)) > 0)
                 FROM (SELECT * FROM {scanned} AND id {comparison} ?3
                       ORDER BY id {direction} LIMIT {SCANNED_MAX}) AS scanned
                 JOIN branch ON branch.id = scanned.branch
                 JOIN chain ON chain.id = branch.chain
                 LEFT JOIN record_kind ON record_kind.id = scanned.kind
                 ORDER BY scanned.id {direction}"
            );
            let mut select = sql.prepare_cached(&statement).map_err(rows("record"))?;
            let mut found = select
                .query(params![
                    tenant,
                    Col(query.event_id),
                    start,
                    Col(query.from),
                    Col(query.to),
                    kind_prefix,
                    Col(query.runtime_id),
                    Col(query.agent),
                    text
                ])
                .map_err(rows("record"))?;
            let (mut events, mut looked_at, mut last) = (Vec::new(), 0, None);
            while let Some(row) = found.next().map_err(rows("record"))? {
                looked_at += 1;
                last = Some(Cursor(row.get(0).map_err(rows("record"))?));
                if row.get(8).map_err(rows("record"))? {
                    events.push(entry(row).map_err(rows("record"))?);
                    if events.len() == *limit {
                        return Ok(AuditPage { events, next: last });
                    }
                }
            }
            let next = last.filter(|_| looked_at == SCANNED_MAX);
            Ok(AuditPage { events, next })
        })
        .await
    }

    /// A page of the records listed under an organization whose content was refused.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn dead_letters(
        &self,
        tenant_id: TenantId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<DeadLetterPage, StorageError> {
        self.read(move |sql| {
            let Some(tenant) = number(sql, tenant_id)? else {
                return Ok(DeadLetterPage { letters: Vec::new(), next: None });
            };
            let after = after.map_or(i64::MIN, |Cursor(at)| at);
            let letters: Vec<DeadLetter> = sql
                .prepare_cached(
                    "SELECT record.id, agent, epoch, seq, refused_code, refused_why, received_at, event
                     FROM record JOIN branch ON branch.id = record.branch
                     JOIN chain ON chain.id = branch.chain
                     WHERE refused_under = ?1 AND record.id > ?2 ORDER BY record.id LIMIT ?3",
                )
                .and_then(|mut select| {
                    select.query_map(params![tenant, after, limit as i64], letter)?.collect()
                })
                .map_err(rows("dead letter"))?;
            let full = letters.len() == limit;
            let next = letters.last().map(|letter| letter.cursor).filter(|_| full);
            Ok(DeadLetterPage { letters, next })
        })
        .await
    }

    /// The administration's: records of a branch after `after_seq`, from its epoch's opening on,
    /// those of the branches it goes away from included.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn chain_records(
        &self,
        branch: BranchId,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<HeldRecord>, StorageError> {
        self.read(move |sql| {
            // The way back to the opening: each ancestor, up to where the next one goes away.
            sql.prepare_cached(
                "WITH RECURSIVE way (branch, parent, first_seq, last_seq) AS (
                     SELECT id, parent, first_seq, tip_seq FROM branch WHERE id = ?1
                     UNION ALL
                     SELECT branch.id, branch.parent, branch.first_seq, way.first_seq - 1
                     FROM branch JOIN way ON branch.id = way.parent
                 )
                 SELECT seq, recorded_at, tenant_id, class, salt, event, event_hash, withheld, head,
                        received_at, refused_code, refused_why,
                        (SELECT tenant_id FROM record_tenant WHERE id = refused_under)
                 FROM way JOIN record ON record.branch = way.branch AND seq <= way.last_seq
                 JOIN record_tenant ON record_tenant.id = record.tenant
                 WHERE seq > ?2 ORDER BY seq LIMIT ?3",
            )
            .and_then(|mut select| {
                select
                    .query_map(params![branch.0, after_seq as i64, limit as i64], held)?
                    .collect()
            })
            .map_err(rows("record"))
        })
        .await
    }
}

fn number(sql: &rusqlite::Connection, tenant_id: TenantId) -> Result<Option<i64>, StorageError> {
    sql.prepare_cached("SELECT id FROM record_tenant WHERE tenant_id = ?1")
        .and_then(|mut select| select.query_row([Col(tenant_id)], |row| row.get(0)).optional())
        .map_err(rows("tenant of a record"))
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        cursor: Cursor(row.get(0)?),
        agent: get(row, 1)?,
        epoch: get(row, 2)?,
        seq: get(row, 3)?,
        recorded_at: get(row, 4)?,
        received_at: get(row, 5)?,
        class: class(row, 6)?,
        event: row.get(7)?,
    })
}

fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        cursor: Cursor(row.get(0)?),
        agent: get(row, 1)?,
        epoch: get(row, 2)?,
        seq: get(row, 3)?,
        code: word(row, 4)?,
        detail: row.get(5)?,
        received_at: get(row, 6)?,
        event: row.get(7)?,
    })
}

fn held(row: &Row<'_>) -> rusqlite::Result<HeldRecord> {
    let body = match (row.get(4)?, row.get(5)?) {
        (Some(salt), Some(event)) => TakenBody::Kept { salt, event },
        _ => TakenBody::Withheld(word::<Withheld>(row, 7)?),
    };
    let hash = match &body {
        TakenBody::Kept { salt, event } => event_hash(salt, event),
        TakenBody::Withheld(_) => get::<Sha256Digest>(row, 6)?,
    };
    let refused = match (row.get::<_, Option<String>>(10)?, row.get(11)?, get(row, 12)?) {
        (Some(_), Some(detail), Some(listed_under)) => {
            Some(Refused { code: word(row, 10)?, detail, listed_under })
        }
        _ => None,
    };
    Ok(HeldRecord {
        link: Link {
            seq: get(row, 0)?,
            recorded_at: get(row, 1)?,
            tenant_id: get(row, 2)?,
            class: class(row, 3)?,
            event_hash: hash,
        },
        head: get(row, 8)?,
        body,
        received_at: get(row, 9)?,
        refused,
    })
}

fn class(row: &Row<'_>, index: usize) -> rusqlite::Result<Class> {
    let number: u8 = row.get(index)?;
    Class::from_u8(number)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number.into()))
}
