//! Alerts that a report raises.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use farhold_audit::Epoch;
use farhold_contract::{
    AlertCode, Sha256Digest, Timestamp,
    call::heartbeat::{HeartbeatReport, ReportedLicense, ReportedRoot},
    id::LicenseId,
};

use crate::{
    documents::Documents,
    incident,
    storage::{AgentFacts, AgentHeartbeat, HeartbeatNoted, HeldBranch, NewAlert},
};

/// How far behind a mark may be without it being told: it is written once a minute, and what was
/// not written is lost with a power cut.
const MARK_TOLERANCE: Duration = Duration::from_secs(120);

/// How far ahead of the Kernel's clock a mark is plausible; one beyond it is lowered, rightly.
const MARK_LEAD: Duration = Duration::from_hours(24);

/// Licenses that an alert names: a hostile report has thousands.
const NAMED_LICENSES: usize = 16;

/// A report, and everything it is held against.
pub(super) struct Sight {
    pub agent: Arc<AgentFacts>,
    pub documents: Arc<Documents>,
    /// The branches held of the device key, before this report.
    pub held: Arc<Vec<HeldBranch>>,
    pub epoch: Epoch,
    pub report: HeartbeatReport,
    /// The bundle that the agent is to stand at.
    pub bundle_digest: Option<Sha256Digest>,
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
        alerts.extend(self.unknown_licenses());
        for sites in &noted.sites {
            alerts.extend(self.over_sites(sites.license_id, sites.devices));
        }
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
        let branch = incident::branch_of(&self.held, self.epoch, report.seq);
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

    /// Licenses that were never uploaded here: one alert, that names the first of them. An agent
    /// that has not pulled the present bundle may still hold what fell with it.
    fn unknown_licenses(&self) -> Option<NewAlert> {
        if self.bundle_digest.is_none() || self.report.bundle_digest != self.bundle_digest {
            return None;
        }
        let unknown: Vec<&ReportedLicense> =
            self.report.licenses.iter().filter(|license| !self.is_known(license)).collect();
        if unknown.is_empty() {
            return None;
        }
        let named: Vec<_> = unknown.iter().take(NAMED_LICENSES).collect();
        let detail = json!({"licenses": named, "unknown": unknown.len()});
        let incident = incident::not_in_ledger(self.agent.device_key.id());
        Some(self.alert(AlertCode::LicenseNotInLedger, incident, detail))
    }

    fn is_known(&self, reported: &ReportedLicense) -> bool {
        let mut of_it = self
            .documents
            .standing
            .licenses()
            .iter()
            .filter(|license| license.license_id == reported.license_id)
            .peekable();
        let oldest = of_it.peek().map_or(0, |license| license.serial.as_u64());
        // Of one line the newest serials are kept: an older one is not judged.
        reported.serial < oldest || of_it.any(|license| license.sha256() == reported.sha256)
    }

    /// More device keys reported a license than it has sites: an alert, never a cut.
    fn over_sites(&self, license_id: LicenseId, devices: u64) -> Option<NewAlert> {
        let licenses = self.documents.standing.licenses();
        let license = licenses.iter().rev().find(|license| license.license_id == license_id)?;
        let sites = license.sites.as_u64();
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
