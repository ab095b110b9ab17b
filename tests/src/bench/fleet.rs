//! Fleet: two thousand agents at one Kernel, each with its own key, certificate and connection.

mod admin;
mod life;
mod tally;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
};
use uuid::Uuid;

use farhold_bundle::payload::{License, Role};

use super::{
    process::{peak_bytes, processor_time, raise_open_files, resident_bytes},
    product::Content,
    report::{Bar, Report},
    samples::Samples,
    stand_in::{Documents, StandIn},
    wire::Door,
};
use crate::{
    kernel_process::Kernel,
    site::{TENANT, Vendor},
};
use admin::Admin;
use life::{Member, live, return_home};
use tally::Tally;

const AGENTS: usize = 2_000;
const TENANTS: usize = 20;
/// What the Kernel asks of its agents: six times as often as it does by default.
const POLL_AFTER_S: u32 = 10;
const TIME: Duration = Duration::from_secs(60);
const BURSTS: usize = 3;
/// Agents that enroll at the same time.
const ENROLLING: usize = 16;
/// Sockets here, sockets at the Kernel, and what both have open besides.
const OPEN_FILES: u64 = AGENTS as u64 + 512;
const EVENT: Content = Content::Alike(375);

/// Measures it.
///
/// # Errors
/// If the Kernel can't be run, or does not enroll.
pub(super) fn measure(report: &mut Report) -> Result<()> {
    let open_files = raise_open_files()?;
    ensure!(open_files >= OPEN_FILES, "{open_files} open files are not enough for {AGENTS} agents");
    let fleet = Fleet::enrolled(report)?;
    let (fleet, sent) = fleet.lives(report)?;
    let fleet = fleet.returns(report)?;
    fleet.accounts(report, sent)
}

/// A Kernel and all its agents.
struct Fleet {
    engine: Runtime,
    kernel: Kernel,
    door: Arc<Door>,
    members: Vec<Member>,
    _vendor: Vendor,
    _devices: TempDir,
}

impl Fleet {
    fn enrolled(report: &Report) -> Result<Self> {
        report.part(&format!(
            "{AGENTS} agents of {TENANTS} organizations enroll, {ENROLLING} at once"
        ));
        let vendor = Vendor::new();
        let kernel = Kernel::planned(&vendor, |plan| plan.heard_every(POLL_AFTER_S));
        let tenants = organizations(&vendor, &kernel)?;
        let devices = tempfile::tempdir()?;
        // As many threads as the machine has: what the Kernel leaves of it.
        let engine = Builder::new_multi_thread().enable_all().build()?;
        let door = Arc::new(Door::new(kernel.address(), &kernel.ca())?);
        let admin = Arc::new(Admin::of(&kernel)?);
        let begun = Instant::now();
        let agents = engine.block_on(async {
            let mut enrolling = JoinSet::new();
            for first in 0..ENROLLING {
                let (admin, door, tenants) =
                    (Arc::clone(&admin), Arc::clone(&door), tenants.clone());
                let folder = devices.path().to_owned();
                enrolling.spawn(async move {
                    let mut wire = admin.open().await?;
                    let mut agents = Vec::new();
                    for at in (first..AGENTS).step_by(ENROLLING) {
                        let (tenant, documents) = &tenants[at % TENANTS];
                        let token = admin.enrollment_token(&mut wire, tenant).await?;
                        let key = folder.join(format!("{at}.key"));
                        let documents = documents.clone();
                        agents.push(StandIn::enroll(&door, &token, &key, documents, EVENT).await?);
                    }
                    anyhow::Ok(agents)
                });
            }
            let mut agents = Vec::new();
            while let Some(enrolled) = enrolling.join_next().await {
                agents.extend(enrolled??);
            }
            anyhow::Ok(agents)
        })?;
        let per_second = AGENTS as f64 / begun.elapsed().as_secs_f64();
        report.figure("token, handshake, enroll", &per_second.into(), "agents/s");
        let members = agents.into_iter().map(Member::new).collect();
        Ok(Self { engine, kernel, door, members, _vendor: vendor, _devices: devices })
    }

    /// A while of everyday: heartbeats and small batches.
    fn lives(mut self, report: &mut Report) -> Result<(Self, u64)> {
        report.part(&format!(
            "{AGENTS} agents for {} s: heartbeat every {POLL_AFTER_S} s ± 50 %, a batch of 10–20 \
             events every 10 s ± 50 %",
            TIME.as_secs()
        ));
        let process = self.kernel.process().id();
        let (before, begun) = (processor_time(process)?, Instant::now());
        let until = begun + TIME;
        let tally = self.all(move |member, door| live(member, door, until))?;
        let took = begun.elapsed();
        let busy = processor_time(process)?.saturating_sub(before);
        tally.tell(report, took);
        report.bar("failed calls", &(tally.failed() as f64).into(), "", Bar::AtMost(0.0));
        let share = busy.as_secs_f64() / took.as_secs_f64() * 100.0;
        report.figure("Kernel, processor time", &share.into(), "% of one");
        tell_memory(report, process)?;
        tally.first_failure()?;
        Ok((self, tally.records))
    }

    /// Everybody comes back at once, as after a power cut.
    fn returns(mut self, report: &mut Report) -> Result<Self> {
        report.part(&format!(
            "All {AGENTS} agents connect at once and say how they are ({BURSTS} times)"
        ));
        let process = self.kernel.process().id();
        let (mut rate, mut failed, mut told) = (Samples::default(), 0, 0);
        let mut most = [Samples::default(), Samples::default()];
        let mut p99 = [Samples::default(), Samples::default()];
        for _ in 0..BURSTS {
            let begun = Instant::now();
            let tally = self.all(return_home)?;
            rate.add(tally.handshakes.per_second(begun));
            for (at, times) in [&tally.handshakes, &tally.heartbeats].into_iter().enumerate() {
                p99[at].add(times.at(990));
                most[at].add(times.at(1000));
            }
            failed += tally.failed();
            told += tally.told_to_wait;
            tally.first_failure()?;
        }
        report.figure("handshakes, mutual TLS", &rate, "/s");
        for (at, name) in ["a handshake", "a heartbeat after it"].into_iter().enumerate() {
            report.figure(&format!("{name}, p99"), &p99[at], "ms");
            report.figure(&format!("{name}, most"), &most[at], "ms");
        }
        report.figure("told to come again", &f64::from(told).into(), "times");
        report.bar("failed calls", &(failed as f64).into(), "", Bar::AtMost(0.0));
        tell_memory(report, process)?;
        Ok(self)
    }

    /// Every record that was sent is there, every chain verifies, and nobody was taken for another.
    fn accounts(&self, report: &mut Report, sent: u64) -> Result<()> {
        let chains = self.kernel.verifies();
        let records = chains
            .iter()
            .filter(|chain| chain["agent_id"].is_string())
            .map(|chain| chain["records"].as_u64().context("a chain without its records"))
            .sum::<Result<u64>>()?;
        let told = format!("{records} records in {} chains", chains.len());
        report.fact("every record once, every chain whole", records == sent, &told);
        let alerts = self.kernel.alert_codes();
        report.fact("no alert", alerts.is_empty(), &alerts.join(" "));
        Ok(())
    }

    /// Has every member do something, all at the same time; what it all came to.
    fn all<F>(&mut self, does: impl Fn(Member, Arc<Door>) -> F) -> Result<Tally>
    where
        F: Future<Output = (Member, Tally)> + Send + 'static,
    {
        let members = std::mem::take(&mut self.members);
        let mut doing = JoinSet::new();
        for member in members {
            doing.spawn_on(does(member, Arc::clone(&self.door)), self.engine.handle());
        }
        let mut tally = Tally::default();
        while let Some(done) = self.engine.block_on(doing.join_next()) {
            let (member, own) = done?;
            self.members.push(member);
            tally.add(own);
        }
        tally.close();
        Ok(tally)
    }
}

/// Organizations at the Kernel, each with a license for a thousand sites.
fn organizations(vendor: &Vendor, kernel: &Kernel) -> Result<Vec<(String, Documents)>> {
    let first = vendor.license(|license| license.managed().feature("export")).payload();
    (0..TENANTS)
        .map(|at| {
            let tenant =
                if at == 0 { TENANT.to_owned() } else { Uuid::now_v7().hyphenated().to_string() };
            let mut payload = first.clone();
            payload["tenant"]["tenant_id"] = tenant.clone().into();
            payload["license_id"] = Uuid::now_v7().hyphenated().to_string().into();
            payload["sites"] = 1_000.into();
            let license: License = serde_json::from_value(payload)?;
            let license = vendor.sealed(&license, Role::License);
            kernel.has_tenant(&tenant).holds(&license);
            Ok((tenant, Documents::new(kernel.root_sha256(), &license)?))
        })
        .collect()
}

fn tell_memory(report: &Report, process: u32) -> Result<()> {
    let megabytes = |bytes: u64| (bytes as f64 / 1e6).into();
    report.figure("Kernel, resident memory", &megabytes(resident_bytes(process)?), "MB");
    report.figure("Kernel, most since its start", &megabytes(peak_bytes(process)?), "MB");
    Ok(())
}
