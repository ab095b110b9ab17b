//! An agent's heartbeat: where it stands, which of its runs say so, and what its runtimes do.

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use farhold_contract::{
    Timestamp,
    call::heartbeat::{HeartbeatReport, ReportedLicense, ReportedRuntime},
    id::RuntimeId,
};

use crate::storage::{
    Storage, Trail,
    column::{Col, Json, get, json},
    directory::{Change, Reported},
    error::StorageError,
    ledger, runtime,
    site::{self, LicenseSites},
    statement,
    txn::Txn,
};

use super::{Agent, WHAT};

/// How many runs of an agent are remembered: two that are alive take turns, and a restart or two
/// in between must not hide them.
const INSTANCES: usize = 4;

/// What an agent reported last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentHeartbeat {
    /// When, by the Kernel's clock.
    pub at: Timestamp,
    /// The report, without its runtimes: they are kept as such.
    pub report: HeartbeatReport,
    /// The last four runs of the agent that reported; the newest last.
    pub instances: Vec<SeenInstance>,
}

/// A run of an agent that reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenInstance {
    /// The run.
    pub instance: String,
    /// When it reported first.
    pub first_at: Timestamp,
    /// When it reported last.
    pub last_at: Timestamp,
}

/// What a report changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatNoted {
    /// What the agent had reported before.
    pub before: Option<AgentHeartbeat>,
    /// Whether a run reported again after another had: two are alive.
    pub returned: bool,
    /// At how many sites each reported license is.
    pub sites: Vec<LicenseSites>,
    /// Licenses it claims that the vendor's ledger does not have, once one is held.
    pub not_in_ledger: Vec<ReportedLicense>,
}

impl Storage {
    /// Notes an agent's report, and in it the health and version of the runtimes that are its own.
    /// A fingerprint that it does not tell stays the one it told last.
    ///
    /// `claimed` are the licenses that the agent says it has, to be looked up in the ledger; of them
    /// the report holds those that are to be kept.
    ///
    /// # Errors
    /// `Unknown`; what every write may meet.
    pub async fn note_agent_heartbeat(
        &self,
        runtime_id: RuntimeId,
        at: Timestamp,
        report: HeartbeatReport,
        claimed: Vec<ReportedLicense>,
        trail: impl FnOnce(&HeartbeatNoted) -> Trail + Send + 'static,
    ) -> Result<HeartbeatNoted, StorageError> {
        self.write(move |txn| {
            let noted = note(txn, runtime_id, at, report, &claimed)?;
            txn.leave(noted, trail)
        })
        .await
    }
}

impl AgentHeartbeat {
    /// Reads one from the columns heartbeat_at, report, instances.
    pub(super) fn of_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Self>> {
        let Some(at) = get(row, first)? else { return Ok(None) };
        Ok(Some(Self { at, report: json(row, first + 1)?, instances: json(row, first + 2)? }))
    }
}

fn note(
    txn: &mut Txn<'_>,
    runtime_id: RuntimeId,
    at: Timestamp,
    mut report: HeartbeatReport,
    claimed: &[ReportedLicense],
) -> Result<HeartbeatNoted, StorageError> {
    let Agent { mut facts, heartbeat: before, .. } = super::known(txn.sql(), runtime_id)?;
    if report.fingerprint.is_none() {
        report.fingerprint = before.as_ref().and_then(|before| before.report.fingerprint.clone());
    }
    let mut instances = before.as_ref().map_or_else(Vec::new, |before| before.instances.clone());
    let returned = see(&mut instances, &report.instance, at);

    for ReportedRuntime { tenant_id, runtime_id: reported, version, health, heard_at, .. } in
        std::mem::take(&mut report.runtimes)
    {
        // The agent's clock may be years ahead: nothing was heard later than now.
        let heard = health.zip(heard_at.map(|heard_at| heard_at.min(at)));
        runtime::note_reported(txn, runtime_id, (tenant_id, reported), version, heard)?;
    }
    let device_key = facts.device_key.id();
    let sites = report
        .licenses
        .iter()
        .map(|license| site::note(txn, license.license_id, license.serial, device_key, at))
        .collect::<Result<_, StorageError>>()?;
    let not_in_ledger = ledger::missing(txn.sql(), claimed)?;
    let update = "UPDATE agent SET heartbeat_at = ?2, report = ?3, instances = ?4
                  WHERE runtime_id = ?1";
    let row = params![Col(runtime_id), Col(at), Json(&report), Json(&instances)];
    statement::change(txn.sql(), WHAT, update, row)?;
    let reported = Reported::after(facts.reported.as_deref(), &report);
    if facts.reported.as_deref() != Some(&reported) {
        facts.reported = Some(reported.into());
        txn.change(Change::Agent(facts.into()));
    }
    Ok(HeartbeatNoted { before, returned, sites, not_in_ledger })
}

/// Puts the run that reports now at the end, and says whether it came back after another.
fn see(instances: &mut Vec<SeenInstance>, instance: &str, at: Timestamp) -> bool {
    let place = instances.iter().position(|seen| seen.instance == instance);
    let returned = place.is_some_and(|place| place + 1 < instances.len());
    let seen = place.map(|place| instances.remove(place));
    let first_at = seen.map_or(at, |seen| seen.first_at);
    instances.push(SeenInstance { instance: instance.to_owned(), first_at, last_at: at });
    let old = instances.len().saturating_sub(INSTANCES);
    instances.drain(..old);
    returned
}
