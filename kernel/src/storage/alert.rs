//! Alert: what needs someone's attention, once an incident.

use std::{fmt, str::FromStr};

use rusqlite::{Connection, Row, params};
use serde_json::Value;

use farhold_contract::{
    AlertCode, Timestamp,
    id::{RuntimeId, TenantId},
};

use super::{
    Storage,
    column::{Col, Json, Word, get, json, rows, word},
    error::StorageError,
    statement,
    trail::Trail,
    txn::Txn,
};

/// An alert's number: later ones are larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(i64);

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AlertId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What is to be raised.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert {
    /// The alert.
    pub code: AlertCode,
    /// Whom it concerns.
    pub tenant_id: TenantId,
    /// The agent it concerns, if one.
    pub agent: Option<RuntimeId>,
    /// What happened once is one alert, however often and by whatever it is noticed.
    pub incident: String,
    /// When it was noticed.
    pub at: Timestamp,
    /// What is known about it.
    pub detail: Value,
}

/// An alert as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its number.
    pub alert_id: AlertId,
    /// The alert.
    pub code: AlertCode,
    /// Whom it concerns.
    pub tenant_id: TenantId,
    /// The agent it concerns, if one.
    pub agent: Option<RuntimeId>,
    /// What is known about it, as of the first time.
    pub detail: Value,
    /// How often it was noticed.
    pub count: u64,
    /// When it was noticed first.
    pub raised_at: Timestamp,
    /// When it was noticed last.
    pub last_at: Timestamp,
    /// Who has taken it up, if anybody.
    pub acknowledged: Option<Acknowledged>,
}

/// That someone has taken an alert up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

/// Which alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertFilter {
    /// Those nobody has acknowledged.
    Open,
    /// All.
    All,
}

/// What raising one came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    /// The alert.
    pub alert_id: AlertId,
    /// Whether the incident had no open alert before.
    pub new: bool,
    /// How often it has been noticed.
    pub count: u64,
}

const COLUMNS: &str = "id, code, tenant_id, agent, detail, count, raised_at, last_at,
     acknowledged_at, acknowledged_by";

impl Storage {
    /// Raises an alert, or counts the open one of its incident up.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn raise_alert(
        &self,
        alert: NewAlert,
        trail: impl FnOnce(&Raised) -> Trail + Send + 'static,
    ) -> Result<Raised, StorageError> {
        self.write(move |txn| {
            let raised = raise(txn, &alert)?;
            txn.leave(raised, trail)
        })
        .await
    }

    /// Alerts of one organization, newest first, from before `before` on.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn alerts_of(
        &self,
        tenant_id: TenantId,
        filter: AlertFilter,
        before: Option<AlertId>,
        limit: usize,
    ) -> Result<Vec<Alert>, StorageError> {
        self.list_alerts(Some(tenant_id), filter, before, limit).await
    }

    /// The administration's: alerts of all organizations, newest first, from before `before` on.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn alerts(
        &self,
        filter: AlertFilter,
        before: Option<AlertId>,
        limit: usize,
    ) -> Result<Vec<Alert>, StorageError> {
        self.list_alerts(None, filter, before, limit).await
    }

    async fn list_alerts(
        &self,
        tenant_id: Option<TenantId>,
        filter: AlertFilter,
        before: Option<AlertId>,
        limit: usize,
    ) -> Result<Vec<Alert>, StorageError> {
        let before = before.map_or(i64::MAX, |AlertId(id)| id);
        let select = select(tenant_id.is_some(), filter);
        self.read(move |sql| {
            let page = params![before, statement::limit(limit), Col(tenant_id)];
            statement::all(sql, "alert", &select, page, alert)
        })
        .await
    }

    /// Notes that someone takes an alert up; again keeps the first.
    ///
    /// # Errors
    /// [`StorageError::Unknown`].
    pub async fn acknowledge_alert(
        &self,
        alert_id: AlertId,
        at: Timestamp,
        by: String,
        trail: impl FnOnce(&Alert) -> Trail + Send + 'static,
    ) -> Result<Alert, StorageError> {
        self.write(move |txn| {
            let alert = acknowledge(txn.sql(), alert_id, at, &by)?;
            txn.leave(alert, trail)
        })
        .await
    }
}

/// As [`Storage::acknowledge_alert`], inside an operation.
pub(super) fn acknowledge(
    sql: &Connection,
    alert_id: AlertId,
    at: Timestamp,
    by: &str,
) -> Result<Alert, StorageError> {
    let acknowledge = "UPDATE alert SET acknowledged_at = ?2, acknowledged_by = ?3
         WHERE id = ?1 AND acknowledged_at IS NULL";
    statement::change(sql, "alert", acknowledge, params![alert_id.0, Col(at), by])?;
    let select = format!("SELECT {COLUMNS} FROM alert WHERE id = ?1");
    let found = statement::one(sql, "alert", &select, [alert_id.0], alert)?;
    found.ok_or(StorageError::Unknown { what: "alert" })
}

/// The open alerts about licenses that the ledger did not have.
pub(super) fn open_not_in_ledger(sql: &Connection) -> Result<Vec<Alert>, StorageError> {
    let select = format!("SELECT {COLUMNS} FROM alert WHERE acknowledged_at IS NULL AND code = ?1");
    statement::all(sql, "alert", &select, [Word(AlertCode::LicenseNotInLedger)], alert)
}

/// Each listing has an index of its own, in its order.
fn select(of_tenant: bool, filter: AlertFilter) -> String {
    let tenant = if of_tenant { "tenant_id = ?3" } else { "?3 IS NULL" };
    let open = match filter {
        AlertFilter::Open => "AND acknowledged_at IS NULL",
        AlertFilter::All => "",
    };
    format!(
        "SELECT {COLUMNS} FROM alert WHERE id < ?1 AND {tenant} {open} ORDER BY id DESC LIMIT ?2"
    )
}

/// Most open alerts of one agent; what it makes up beyond is one more, counted up.
const OPEN_MAX: u64 = 64;

/// Raises an alert inside an operation.
pub(super) fn raise(txn: &mut Txn<'_>, alert: &NewAlert) -> Result<Raised, StorageError> {
    let incident = match alert.agent {
        Some(agent) if !is_open(txn, &alert.incident)? && open_of(txn, agent)? >= OPEN_MAX => {
            &format!("many/{agent}")
        }
        _ => &alert.incident,
    };
    txn.sql()
        .prepare_cached(
            "INSERT INTO alert (code, tenant_id, agent, incident, detail, count, raised_at, last_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?6)
             ON CONFLICT (incident) WHERE acknowledged_at IS NULL
             DO UPDATE SET count = count + 1, last_at = max(last_at, excluded.last_at)
             RETURNING id, count",
        )
        .and_then(|mut insert| {
            let NewAlert { code, tenant_id, agent, at, detail, .. } = alert;
            insert.query_row(
                params![Word(code), Col(*tenant_id), Col(*agent), incident, Json(detail), Col(*at)],
                |row| {
                    let count = get(row, 1)?;
                    Ok(Raised { alert_id: AlertId(row.get(0)?), new: count == 1, count })
                },
            )
        })
        .map_err(rows("alert"))
}

fn is_open(txn: &Txn<'_>, incident: &str) -> Result<bool, StorageError> {
    txn.sql()
        .prepare_cached("SELECT 1 FROM alert WHERE incident = ?1 AND acknowledged_at IS NULL")
        .and_then(|mut select| select.exists([incident]))
        .map_err(rows("alert"))
}

fn open_of(txn: &Txn<'_>, agent: RuntimeId) -> Result<u64, StorageError> {
    txn.sql()
        .prepare_cached("SELECT count(*) FROM alert WHERE agent = ?1 AND acknowledged_at IS NULL")
        .and_then(|mut select| select.query_row([Col(agent)], |row| get(row, 0)))
        .map_err(rows("alert"))
}

fn alert(row: &Row<'_>) -> rusqlite::Result<Alert> {
    let (at, by): (Option<Timestamp>, Option<String>) = (get(row, 8)?, row.get(9)?);
    Ok(Alert {
        alert_id: AlertId(row.get(0)?),
        code: word(row, 1)?,
        tenant_id: get(row, 2)?,
        agent: get(row, 3)?,
        detail: json(row, 4)?,
        count: get(row, 5)?,
        raised_at: get(row, 6)?,
        last_at: get(row, 7)?,
        acknowledged: at.zip(by).map(|(at, by)| Acknowledged { at, by }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::plan::{assert_indexed, steps};

    #[test]
    fn each_listing_goes_along_an_index_in_its_order() {
        assert_indexed(&select(true, AlertFilter::All), "alert_tenant");
        assert_indexed(&select(true, AlertFilter::Open), "alert_open_tenant");
        assert_indexed(&select(false, AlertFilter::Open), "alert_open");
        let all = steps(&select(false, AlertFilter::All));
        assert_eq!(all, ["SEARCH alert USING INTEGER PRIMARY KEY (rowid<?)"]);
    }
}
