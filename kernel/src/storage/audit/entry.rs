//! Entry: an event as it is kept, and the listing of an organization's.

use rusqlite::{Connection, OptionalExtension, Row, params};

use farhold_audit::{Class, Epoch};
use farhold_contract::{
    Timestamp,
    id::{EventId, RuntimeId, TenantId},
};

use super::{
    super::{
        Storage,
        column::{Col, get, rows},
        error::StorageError,
        statement,
    },
    cursor::Cursor,
    number::tenant_known,
    record::class,
};

/// Rows looked at for one page, whatever the filters leave of them.
const SCANNED_MAX: i64 = 20_000;

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

impl Storage {
    /// A page of an organization's events. It may be short, or empty, and still have a next one:
    /// so many rows are looked at and no more.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn audit_events(&self, query: AuditQuery) -> Result<AuditPage, StorageError> {
        self.read(move |sql| page(sql, &query)).await
    }
}

fn page(sql: &Connection, query: &AuditQuery) -> Result<AuditPage, StorageError> {
    let Some(tenant) = tenant_known(sql, query.tenant_id)? else {
        return Ok(AuditPage { events: Vec::new(), next: None });
    };
    let (first, last) = match query.order {
        Order::Oldest => (i64::MIN, i64::MAX),
        Order::Newest => (i64::MAX, i64::MIN),
    };
    let after = query.after.map_or(first, |Cursor(at)| at);
    let bound = if query.looks_in_vain() { bound(sql, tenant, query.order, after)? } else { None };
    let events: Vec<AuditEntry> = sql
        .prepare_cached(&select(query.order, query.event_id.is_some()))
        .and_then(|mut select| {
            select
                .query_map(
                    params![
                        tenant,
                        after,
                        bound.unwrap_or(last),
                        statement::limit(query.limit),
                        Col(query.event_id),
                        Col(query.from),
                        Col(query.to),
                        query.kind_prefix,
                        Col(query.runtime_id),
                        Col(query.agent),
                        query.text
                    ],
                    entry,
                )?
                .collect()
        })
        .map_err(rows("record"))?;
    let next = match events.last() {
        Some(last) if events.len() == query.limit => Some(last.cursor),
        _ => bound.map(Cursor),
    };
    Ok(AuditPage { events, next })
}

impl AuditQuery {
    /// Whether rows may be looked at that are not asked for; one event is found by its id.
    const fn looks_in_vain(&self) -> bool {
        self.event_id.is_none()
            && (self.from.is_some()
                || self.to.is_some()
                || self.kind_prefix.is_some()
                || self.runtime_id.is_some()
                || self.agent.is_some()
                || self.text.is_some())
    }
}

/// The last row that is looked at for this page; none: there are fewer.
fn bound(
    sql: &Connection,
    tenant: i64,
    order: Order,
    after: i64,
) -> Result<Option<i64>, StorageError> {
    sql.prepare_cached(&select_bound(order))
        .and_then(|mut select| {
            select.query_row(params![tenant, after, SCANNED_MAX - 1], |row| row.get(0)).optional()
        })
        .map_err(rows("record"))
}

/// Counts along the index alone: no row is read.
fn select_bound(order: Order) -> String {
    let (beyond, _, direction) = order.words();
    format!(
        "SELECT id FROM record
         WHERE tenant = ?1 AND refused_code IS NULL AND repeats IS NULL AND id {beyond} ?2
         ORDER BY id {direction} LIMIT 1 OFFSET ?3"
    )
}

/// The records come first in the join, as their index has them: nothing is left to be sorted.
fn select(order: Order, one_event: bool) -> String {
    let (beyond, within, direction) = order.words();
    // Left to choose, the planner walks the tenant's index for one event, too.
    let (index, event) = match one_event {
        true => ("record_event", "event_id = ?5"),
        false => ("record_of_tenant", "?5 IS NULL"),
    };
    format!(
        "SELECT record.id, agent, epoch, seq, recorded_at, received_at, class, event
         FROM record INDEXED BY {index}
         CROSS JOIN branch ON branch.id = record.branch
         CROSS JOIN chain ON chain.id = branch.chain
         WHERE tenant = ?1 AND refused_code IS NULL AND repeats IS NULL AND {event}
           AND record.id {beyond} ?2 AND record.id {within} ?3
           AND (?6 IS NULL OR recorded_at >= ?6) AND (?7 IS NULL OR recorded_at < ?7)
           AND (?8 IS NULL OR kind IN (
               SELECT id FROM record_kind WHERE kind >= ?8 AND kind < ?8 || char(0x10FFFF)))
           AND (?9 IS NULL OR runtime_id = ?9) AND (?10 IS NULL OR agent = ?10)
           AND (?11 IS NULL OR instr(event, CAST(?11 AS BLOB)) > 0)
         ORDER BY record.id {direction} LIMIT ?4"
    )
}

impl Order {
    /// Beyond the page before, up to the bound, in which direction.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Oldest => (">", "<=", "ASC"),
            Self::Newest => ("<", ">=", "DESC"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::plan::assert_indexed;

    #[test]
    fn events_are_listed_and_counted_along_their_tenants_index_in_both_orders() {
        for order in [Order::Oldest, Order::Newest] {
            assert_indexed(&select(order, false), "record_of_tenant");
            assert_indexed(&select(order, true), "record_event");
            assert_indexed(&select_bound(order), "record_of_tenant");
        }
    }
}
