//! The Kernel's CA is replaced while a site sleeps: a root carried by hand brings it back.

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use farhold_agent::{
    heartbeats::Heartbeats,
    uplink::{self, Line, Wiring},
};
use farhold_bundle::{Envelope, payload::Renew};
use farhold_contract::{
    call::heartbeat::{HeartbeatAnswer, KernelStanding},
    version::ContractVersion,
};
use farhold_sync::Timing;
use serde_json::json;
use tokio::sync::watch;

use super::support::{Bench, Ca, Life, Reply, Seen, Server, agent, enrollment, http, tenant};
use crate::stage::{Ground, NOON, Stage, Vendor, at};

const PATIENCE: Duration = Duration::from_secs(60);

/// A Kernel that stands under this CA alone: it renews, and takes heartbeats of its own
/// certificates.
fn kernel(ca: &Arc<Ca>) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    let ca = Arc::clone(ca);
    move |seen| {
        if seen.line().contains("/certificate ") {
            let envelope = Envelope::open(&seen.body).unwrap();
            let renew: Renew =
                serde_json::from_slice(envelope.danger_unverified_payload()).unwrap();
            let csr = STANDARD.decode(renew.csr).unwrap();
            let certificate = ca.client(&csr, tenant(), agent(), Life::NOW);
            let body = json!({"certificate": certificate, "chain": [ca.pem()], "ca": [ca.pem()]});
            return http(200, "application/json", "", body.to_string());
        }
        let problem = |status: u16, code: &str| {
            let problem = json!({
                "type": format!("urn:farhold:code:{code}"), "title": "x", "status": status,
                "code": code, "action": "x",
            });
            http(status, "application/problem+json", "", problem.to_string())
        };
        if !seen.certified {
            return problem(401, "certificate.missing");
        }
        if seen.line().contains("/heartbeat ") {
            let answer = HeartbeatAnswer {
                standing: KernelStanding::ACTIVE,
                tenants: Vec::new(),
                runtimes: Vec::new(),
                bundle_digest: None,
                server_time: at(NOON),
                poll_after: 60,
                contract_versions: ContractVersion::ALL.to_vec(),
                backfill: Vec::new(),
            };
            return http(200, "application/json", "", serde_json::to_string(&answer).unwrap());
        }
        problem(503, "server.overloaded")
    }
}

/// A site that trusts the old CA, with its line. Its clock stands still: whatever waits for a
/// time waits for ever, so that only what ends the waits brings it back.
struct Asleep {
    stage: Stage,
    vendor: Vendor,
    line: Arc<Line>,
    stop: watch::Sender<bool>,
    ground: Ground,
}

impl Asleep {
    async fn under(bench: &Bench, old: &Ca, url: &str, life: Life) -> Self {
        let (ground, vendor) = (Ground::new(), Vendor::new());
        let state_dir = ground.folder.path().join("state");
        fs::create_dir(&state_dir).unwrap();
        fs::set_permissions(&state_dir, fs::Permissions::from_mode(0o700)).unwrap();
        let standing = enrollment(old, url, life);
        standing.save(&state_dir).unwrap();
        let stage = ground.start_as("mode = \"managed\"\n").trusting(&vendor).await;
        let spread = Duration::ZERO;
        let wiring = Wiring {
            owner: stage.owner.clone(),
            place: Arc::clone(&stage.admin.place),
            clock: Arc::clone(&stage.admin.clock),
            health: Arc::clone(&stage.admin.health),
            importer: Arc::clone(&stage.importer),
            heartbeats: Arc::<Heartbeats>::default(),
            board: Arc::clone(&stage.admin.board),
            settings: bench.settings.clone(),
            timing: Timing { start_spread: spread, reconnect_spread: spread, ..Timing::default() },
        };
        let line = Arc::new(Line::new(wiring, standing).unwrap());
        let (stop, _) = watch::channel(false);
        Self { stage, vendor, line, stop, ground }
    }

    async fn until(&self, what: &str, holds: impl Fn(&Stage) -> bool) {
        let waiting = async {
            while !holds(&self.stage) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}"));
    }

    /// It wakes and can't trust whom it meets, is given a root that names the new CA, and is heard.
    async fn wakes_and_is_healed_by(self, new: &Ca) -> (Stage, Ground) {
        let mut tasks = uplink::start(&self.line, &self.stop.subscribe());
        let board = |stage: &Stage| stage.admin.board.view();
        self.until("the new CA is not trusted yet", |stage| board(stage).failing.is_some()).await;
        assert!(board(&self.stage).heard_at.is_none());
        self.stage.imports(&self.vendor.root_with_ca(2, vec![new.pin()])).await;
        self.until("the root brings the line back", |stage| board(stage).heard_at.is_some()).await;
        assert!(board(&self.stage).failing.is_none());
        self.stop.send_replace(true);
        while tasks.join_next().await.is_some() {}
        (self.stage, self.ground)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_names_the_new_ca_brings_the_line_back_without_a_restart() {
    let (bench, old, new) = (Bench::new(), Ca::new("CA of 2025"), Arc::new(Ca::new("CA of 2026")));
    // The Kernel still takes certificates of the old CA.
    let tls = super::support::server::Tls::of(&new).offering(&old);
    let server = Server::with_tls(tls, kernel(&new)).await;
    let asleep = Asleep::under(&bench, &old, &server.url(), Life::NOW).await;
    asleep.wakes_and_is_healed_by(&new).await;
    let renewed = server.seen().iter().any(|seen| seen.line().contains("/certificate "));
    assert!(!renewed, "its certificate holds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_whose_certificate_has_ended_too_is_renewed_under_the_new_ca() {
    let (bench, old, new) = (Bench::new(), Ca::new("CA of 2020"), Arc::new(Ca::new("CA of 2026")));
    let server = Server::start(&new, kernel(&new)).await;
    let asleep = Asleep::under(&bench, &old, &server.url(), Life::PAST).await;
    let (stage, _ground) = asleep.wakes_and_is_healed_by(&new).await;
    assert!(server.seen().iter().any(|seen| seen.line().contains("/certificate ")));
    assert_eq!(stage.events("agent.certificate.renewed").await.len(), 1);
    let kept = farhold_agent::link::Enrollment::load(&stage.state_dir).unwrap().unwrap();
    assert_eq!(kept.ca, [new.pem()], "the old CA is trusted no longer");
}
