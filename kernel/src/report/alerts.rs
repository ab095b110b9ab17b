//! Alerts that a report raises.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use farhold_audit::Epoch;
use farhold_bundle::payload::Binding;
use farhold_contract::{
    AlertCode, Timestamp,
    call::heartbeat::{HeartbeatReport, ReportedLicense, ReportedRoot},
    id::TenantId,
};

use crate::{
    documents::Documents,
    incident,
    storage::{AgentFacts, AgentHeartbeat, HeartbeatNoted, HeldBranch, LicenseSites, NewAlert},
};

/// How far behind a mark may be without it being told: it is written once a minute, and what was
/// not written is lost with a power cut.
const MARK_TOLERANCE: Duration = Duration::from_secs(120);

/// How far ahead of the Kernel's clock a mark is plausible; one beyond it is lowered, rightly.
const MARK_LEAD: Duration = Duration::from_hours(24);

/// Licenses of one report that are an alert each; licenses that one alert names. A hostile report
/// has thousands.
const ONE_BY_ONE: usize = 8;
const NAMED_LICENSES: usize = 16;

/// A report, and everything it is held against.
pub(super) struct Sight {
    pub agent: Arc<AgentFacts>,
    pub documents: Arc<Documents>,
    /// The branches held of the device key, before this report.
    pub held: Arc<Vec<HeldBranch>>,
    /// Whether the record reported as the last is held: asked only where a branch goes beyond it.
    pub place_held: bool,
    pub epoch: Epoch,
    pub report: HeartbeatReport,
    pub at: Timestamp,
}

impl Sight {
    /// What it shows, given what the agent had reported before.
    pub(super) fn alerts(&self, noted: &HeartbeatNoted) -> Vec<NewAlert> {
        let mut alerts = Vec::new();
        alerts.extend(noted.before.as_ref().and_then(|before| self.rolled_back(before)));
        if noted.returned {
            let detail = json!({"instance": self.report.instance});
            let incident = incident::cloned(self.agent.device_key.id());
            alerts.push(self.alert(AlertCode::AgentCloned, incident, detail));
        }
        alerts.extend(self.report.root.and_then(|root| self.foreign_root(root)));
        alerts.extend(self.not_in_ledger(&noted.not_in_ledger));
        alerts.extend(noted.sites.iter().filter_map(|counted| self.over_sites(counted)));
        alerts
    }

    /// The chain or the mark of the same epoch is behind what was reported before.
    fn rolled_back(&self, before: &AgentHeartbeat) -> Option<NewAlert> {
        let (report, earlier) = (&self.report, &before.report);
        if report.epoch != earlier.epoch {
            return None;
        }
        let chain =
            report.seq < earlier.seq || (report.seq == earlier.seq && report.head != earlier.head);
        let mark =
            report.mark + MARK_TOLERANCE < earlier.mark && earlier.mark <= before.at + MARK_LEAD;
        if !chain && !mark {
            return None;
        }
        let branch = incident::branch_of(&self.held, self.epoch, report.seq, self.place_held);
        let incident = incident::restored(self.agent.device_key.id(), self.epoch, branch);
        let detail = json!({
            "epoch": report.epoch,
            "seq": report.seq, "seq_before": earlier.seq,
            "mark": report.mark, "mark_before": earlier.mark,
        });
        Some(self.alert(AlertCode::StateRolledBack, incident, detail))
    }

    /// The root is none of the chain's; one newer than the Kernel's is not known either.
    fn foreign_root(&self, reported: ReportedRoot) -> Option<NewAlert> {
        let roots = self.documents.standing.roots();
        let oldest = roots.first()?.version();
        // What the Kernel has dropped from the chain's beginning it can't compare any more.
        if reported.version < oldest
            || roots.iter().any(|root| {
                root.version() == reported.version && root.root().sha256() == reported.sha256
            })
        {
            return None;
        }
        let newest = roots.last()?.version();
        let detail =
            json!({"version": reported.version, "sha256": reported.sha256, "newest": newest});
        let incident = incident::foreign_root(self.agent.device_key.id());
        Some(self.alert(AlertCode::TrustForeignRoot, incident, detail))
    }

    /// Licenses that the vendor's ledger does not have: an alert each, so that each ends when the
    /// ledger has it; and one for a site that names more of them than are ever issued in haste.
    fn not_in_ledger(&self, licenses: &[ReportedLicense]) -> Vec<NewAlert> {
        let code = AlertCode::LicenseNotInLedger;
        if licenses.len() > ONE_BY_ONE {
            let named = &licenses[..NAMED_LICENSES.min(licenses.len())];
            let detail = json!({"licenses": named, "unknown": licenses.len()});
            let incident = incident::many_not_in_ledger(self.agent.device_key.id());
            return vec![self.alert(code, incident, detail)];
        }
        let alert = |license: &ReportedLicense| {
            let detail = json!({"licenses": [license], "unknown": 1});
            let incident = incident::not_in_ledger(license.sha256);
            let alert = self.alert(code, incident, detail);
            let tenant_id = self.tenant_of(license).unwrap_or(alert.tenant_id);
            NewAlert { tenant_id, ..alert }
        };
        licenses.iter().map(alert).collect()
    }

    /// Whose license it is, where it stands here, too.
    fn tenant_of(&self, reported: &ReportedLicense) -> Option<TenantId> {
        let mut licenses = self.documents.standing.licenses().iter();
        licenses
            .find(|license| license.sha256() == reported.sha256)
            .map(|license| license.tenant.tenant_id)
            .filter(|tenant_id| self.agent.tenants.contains(tenant_id))
    }

    /// More device keys reported a license than it has sites: an alert, never a cut. One that is
    /// bound to a machine is moved by its next serial: the machine that it left does not count,
    /// unless it goes on.
    fn over_sites(&self, counted: &LicenseSites) -> Option<NewAlert> {
        let license_id = counted.license_id;
        let mut of_it = self.documents.standing.licenses().iter();
        let license = of_it.rfind(|license| license.license_id == license_id)?;
        let sites = license.sites.as_u64();
        let devices = match license.binding {
            Some(Binding::DeviceKey(_) | Binding::Fingerprint(_)) => counted.at_once,
            Some(Binding::None) | None => counted.devices,
        };
        if devices <= sites {
            return None;
        }
        let detail = json!({"license_id": license_id, "sites": sites, "device_keys": devices});
        let incident = incident::over_sites(license_id);
        let tenant_id = license.tenant.tenant_id;
        // The license's, not one agent's: none of them is more to blame than the others.
        let code = AlertCode::LicenseOverSites;
        Some(NewAlert { code, tenant_id, agent: None, incident, at: self.at, detail })
    }

    fn alert(&self, code: AlertCode, incident: String, detail: Value) -> NewAlert {
        let (tenant_id, agent) = (self.agent.own_tenant(), Some(self.agent.runtime_id));
        NewAlert { code, tenant_id, agent, incident, at: self.at, detail }
    }
}
