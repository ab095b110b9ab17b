//! The line: what the uplink's tasks share.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};

use farhold_contract::{
    Sha256Digest, Timestamp,
    call::heartbeat::{Backfill, HeartbeatAnswer},
};
use farhold_policy::Now;
use farhold_sync::{Call, Jitter, Moment, Timing, Verdict, verdict};

use crate::{
    clock::Clock,
    health::Health,
    heartbeats::Heartbeats,
    importer::Importer,
    link::{Enrollment, KernelClient, LinkError, LinkSettings},
    link_board::{CertificateLife, Failing, LinkBoard},
    owner::Owner,
    random,
    site::Place,
    snapshot::Snapshot,
};

/// However far away the next thing to do is, a task looks again after this long: timers stand
/// still while the machine sleeps.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What a line is made of.
pub struct Wiring {
    /// The one who changes state.
    pub owner: Owner,
    /// What never changes.
    pub place: Arc<Place>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Where conditions are noted.
    pub health: Arc<Health>,
    /// The one path of every bundle.
    pub importer: Arc<Importer>,
    /// How the runtimes said they are.
    pub heartbeats: Arc<Heartbeats>,
    /// How the link is.
    pub board: Arc<LinkBoard>,
    /// The way to the Kernel.
    pub settings: LinkSettings,
    /// How patient the site is.
    pub timing: Timing,
}

/// What the uplink's tasks share.
pub struct Line {
    pub(super) wiring: Wiring,
    enrollment: Mutex<Enrollment>,
    client: ArcSwap<KernelClient>,
    pins: Mutex<Vec<Sha256Digest>>,
    /// The last heartbeat accepted.
    pub(super) heard: watch::Sender<Heard>,
    /// Counts what may make a refusal outdated: a new certificate, an import.
    pub(super) changed: watch::Sender<u64>,
    /// A call was refused for the certificate.
    pub(super) certificate_rejected: Notify,
    /// There is something to report before the next poll.
    pub(super) report_wanted: Notify,
    /// The digest of the bundle that stands, as the Kernel named it.
    pub(super) bundle: Mutex<Option<Sha256Digest>>,
}

/// What a heartbeat's answer asks of the other tasks.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// The bundle to stand at.
    pub bundle_digest: Option<Sha256Digest>,
    /// Records to send again.
    pub backfill: Vec<Backfill>,
}

impl Line {
    /// A line to the Kernel at which the agent is enrolled.
    ///
    /// # Errors
    /// [`LinkError`] if nothing can be called with this standing or these settings.
    pub fn new(wiring: Wiring, enrollment: Enrollment) -> Result<Self, LinkError> {
        let pins = kernel_ca(&wiring.owner.snapshot());
        let wall = wiring.clock.read().wall;
        let client = KernelClient::new(&enrollment, &pins, wall, &wiring.settings)?;
        let line = Self {
            wiring,
            enrollment: Mutex::new(enrollment),
            client: ArcSwap::from_pointee(client),
            pins: Mutex::new(pins),
            heard: watch::Sender::default(),
            changed: watch::Sender::default(),
            certificate_rejected: Notify::new(),
            report_wanted: Notify::new(),
            bundle: Mutex::default(),
        };
        line.show_certificate();
        Ok(line)
    }

    /// The client, as the certificate and the trust root now have it.
    pub fn client(&self) -> Arc<KernelClient> {
        self.follow_trust();
        self.client.load_full()
    }

    /// The standing with the Kernel, as it is now.
    pub fn enrollment(&self) -> Enrollment {
        self.enrollment.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Time since boot.
    pub(super) fn moment(&self) -> Moment {
        Moment::from_ms(self.wiring.clock.read().boottime_ms)
    }

    /// The system clock.
    pub(super) fn wall(&self) -> Timestamp {
        self.wiring.clock.read().wall
    }

    /// The site as of the last commit, and the time by which it is judged.
    pub(super) fn snapshot(&self) -> (Arc<Snapshot>, Now) {
        let snapshot = self.wiring.owner.snapshot();
        let now = snapshot.now(&self.wiring.clock.read());
        (Arc::clone(&snapshot), now)
    }

    /// Chance for one machine.
    pub(super) fn jitter(&self) -> Jitter {
        let [a, b, c, d, e, f, g, h, ..] = random::salt();
        Jitter::seeded(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    /// Waits until `moment`, or for a while if there is none.
    pub(super) async fn sleep_until(&self, moment: Option<Moment>) {
        let wait = moment.map_or(LOOK_AGAIN, |moment| moment.saturating_since(self.moment()));
        tokio::time::sleep(wait.min(LOOK_AGAIN)).await;
    }

    /// What a failed call means; whoever else it concerns is told.
    pub(super) fn judge(&self, call: Call, error: &LinkError) -> Verdict {
        let verdict = verdict(call, &error.outcome());
        if verdict == Verdict::Renew {
            self.certificate_rejected.notify_one();
        }
        verdict
    }

    /// A heartbeat was accepted and its answer is kept.
    pub(super) fn note_heard(&self, answer: &HeartbeatAnswer, online_until: Moment) {
        let wall = self.wall();
        let skew_ms = wall.as_ms() - answer.server_time.as_ms();
        let was_failing = self.wiring.board.view().failing.is_some();
        self.wiring.board.update(|view| {
            view.heard_at = Some(wall);
            view.skew_ms = skew_ms;
            view.failing = None;
            view.intercepted = None;
            view.auth_rejected = false;
        });
        self.wiring.board.online_until(online_until.as_ms());
        if was_failing {
            tracing::info!("the Kernel answers");
        }
        self.heard.send_replace(Heard {
            bundle_digest: answer.bundle_digest,
            backfill: answer.backfill.clone(),
        });
    }

    /// A heartbeat failed: told when that begins or its reason changes, not at each attempt.
    pub(super) fn note_failed(&self, error: &LinkError) {
        let wall = self.wall();
        let told = format!("{} {}", crate::error_chain(error), error.action());
        let before = self.wiring.board.view();
        let failing = before.failing.as_ref();
        if failing.is_none_or(|failing| failing.code != error.code()) {
            tracing::warn!(code = %error.code(), reason = %told, "the Kernel can't be asked; products are served from what is verified");
        }
        let since = failing.map_or(wall, |failing| failing.since);
        let failing = Failing { since, code: error.code(), told: told.clone() };
        let intercepted = error.is_intercepted().then_some(told);
        self.wiring.board.update(|view| {
            view.failing = Some(failing.clone());
            view.intercepted.clone_from(&intercepted);
        });
    }

    /// Takes over a renewed standing; every wait after a refusal ends.
    ///
    /// # Errors
    /// [`LinkError`]; the client before stays.
    pub(super) fn renewed(&self, enrollment: Enrollment) -> Result<(), LinkError> {
        let pins = kernel_ca(&self.wiring.owner.snapshot());
        let client = KernelClient::new(&enrollment, &pins, self.wall(), &self.wiring.settings)?;
        *self.enrollment.lock().unwrap_or_else(PoisonError::into_inner) = enrollment;
        self.client.store(Arc::new(client));
        self.show_certificate();
        self.note_changed();
        Ok(())
    }

    /// Something was changed that may make refusals outdated.
    pub(super) fn note_changed(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// The CAs that the trust root names.
    pub(super) fn kernel_ca(&self) -> Vec<Sha256Digest> {
        kernel_ca(&self.wiring.owner.snapshot())
    }

    /// A new trust root may name other CAs.
    fn follow_trust(&self) {
        let now = self.kernel_ca();
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        if *pins == now {
            return;
        }
        match KernelClient::new(&self.enrollment(), &now, self.wall(), &self.wiring.settings) {
            Ok(client) => self.client.store(Arc::new(client)),
            Err(error) => {
                tracing::error!(error = %crate::error_chain(&error), "the trust root's CAs can't be used");
            }
        }
        *pins = now;
    }

    fn show_certificate(&self) {
        let facts = self.enrollment().current.facts();
        let life = facts
            .ok()
            .map(|facts| CertificateLife { begins: facts.not_before, ends: facts.not_after });
        self.wiring.board.update(|view| view.certificate = life);
    }
}

fn kernel_ca(snapshot: &Snapshot) -> Vec<Sha256Digest> {
    let root = snapshot.documents.standing.root();
    root.map_or_else(Vec::new, |root| root.root().kernel_ca.clone())
}
