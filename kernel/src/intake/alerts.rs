//! Alerts that a batch raises.

use std::collections::BTreeMap;

use serde_json::json;

use farhold_audit::{ChainPosition, Epoch, Opening};
use farhold_bundle::KeyId;
use farhold_contract::{
    AlertCode, Timestamp,
    id::{RuntimeId, TenantId},
};

use crate::{
    incident,
    intake::judge::Judged,
    storage::{AgentFacts, HeldBranch, MissingRun, NewAlert, Taken},
};

/// Foreign tenants that an alert names: a hostile batch has thousands.
const NAMED_FOREIGN: usize = 16;

/// What a batch may turn out to show, gathered before it is taken.
pub(super) struct Incidents {
    agent: RuntimeId,
    tenant_id: TenantId,
    device_key: KeyId,
    opening: Opening,
    before: ChainPosition,
    fork_incident: String,
    missing: Option<Missing>,
    foreign: BTreeMap<TenantId, u64>,
    at: Timestamp,
}

/// A run of records that an epoch says came before it, and that is not here.
struct Missing {
    epoch: Epoch,
    from: u64,
    to: u64,
}

impl Incidents {
    /// Of a judged batch, given the branches held of its device key.
    pub(super) fn of(
        agent: &AgentFacts,
        judged: &Judged,
        held: &[HeldBranch],
        at: Timestamp,
    ) -> Self {
        let device_key = agent.device_key.id();
        let (opening, before) = (judged.opening, judged.summary.before());
        let begins = before.seq == 0 || incident::branches(held, opening.epoch) == 0;
        Self {
            agent: agent.runtime_id,
            tenant_id: agent.own_tenant(),
            device_key,
            opening,
            before,
            fork_incident: incident::restored(
                device_key,
                opening.epoch,
                incident::branches(held, opening.epoch),
            ),
            missing: begins.then(|| missing(&opening, held)).flatten(),
            foreign: judged.foreign.clone(),
            at,
        }
    }

    /// The alerts, now that it is known what became of the batch.
    pub(super) fn after(self, taken: &Taken) -> Vec<NewAlert> {
        let &Taken::Accepted { new, forked, missing, .. } = taken else { return Vec::new() };
        // What was taken in before has been told before.
        if new == 0 {
            return Vec::new();
        }
        let mut alerts = Vec::new();
        if forked {
            let detail = json!({
                "epoch": self.opening.epoch, "after_seq": self.before.seq,
            });
            alerts.push(self.alert(AlertCode::ChainForked, self.fork_incident.clone(), detail));
        }
        if let Some(Missing { epoch, from, to }) = &self.missing {
            let detail = json!({"epoch": epoch, "from": from, "to": to});
            let incident = incident::missing(self.device_key, *epoch, *from);
            alerts.push(self.alert(AlertCode::EventsMissing, incident, detail));
        }
        if let Some(MissingRun { from, to }) = missing {
            let epoch = self.opening.epoch;
            let detail = json!({"epoch": epoch, "from": from, "to": to.seq, "receipted": true});
            let incident = incident::missing(self.device_key, epoch, from);
            alerts.push(self.alert(AlertCode::EventsMissing, incident, detail));
        }
        if !self.foreign.is_empty() {
            let named: BTreeMap<_, _> = self.foreign.iter().take(NAMED_FOREIGN).collect();
            let detail = json!({
                "where": "a batch's records", "records": named, "tenants": self.foreign.len(),
            });
            let incident = incident::foreign_tenant(self.agent);
            alerts.push(self.alert(AlertCode::TenantMismatch, incident, detail));
        }
        alerts
    }

    fn alert(&self, code: AlertCode, incident: String, detail: serde_json::Value) -> NewAlert {
        let (tenant_id, agent, at) = (self.tenant_id, Some(self.agent), self.at);
        NewAlert { code, tenant_id, agent, incident, at, detail }
    }
}

/// What an epoch says stood before it, against what is held of that.
fn missing(opening: &Opening, held: &[HeldBranch]) -> Option<Missing> {
    let before = opening.previous;
    if before.epoch == Epoch::NONE || before.seq == 0 {
        return None;
    }
    let tips = held.iter().filter(|branch| branch.opening.epoch == before.epoch);
    let tip = tips.map(|branch| branch.tip.seq).max().unwrap_or(0);
    (tip < before.seq).then_some(Missing { epoch: before.epoch, from: tip + 1, to: before.seq })
}
