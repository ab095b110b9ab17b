//! What is wrong with the site now, as the closed list of conditions; and whether it can answer.

mod clocks;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use farhold_contract::{
    Code, Timestamp,
    condition::{Condition, ConditionCode},
};
use farhold_policy::{ClockReading, LicenseView, Now, Phase};
use farhold_store::QueueFigures;

use crate::{
    cap::{FULL_PERCENT, HIGH_PERCENT},
    clock::Clock,
    link_board::LinkBoard,
    machine,
    owner::Owner,
    refusals::Refusals,
    reserve::free_bytes,
    site::Place,
    snapshot::Snapshot,
};

use clocks::KernelTime;

/// Where conditions are found, and since when each stands.
pub struct Health {
    place: Arc<Place>,
    owner: Owner,
    clock: Arc<dyn Clock>,
    board: Arc<LinkBoard>,
    /// Bundles that were refused and that nothing has put right since.
    pub(crate) refusals: Refusals,
    since: Mutex<BTreeMap<ConditionCode, Timestamp>>,
    raised: Mutex<BTreeMap<ConditionCode, String>>,
}

/// Below this the filesystem is said to be nearly full.
const DISK_LOW_BYTES: u64 = 256 << 20;
/// How far the system clock may be from the Kernel's time before it is said: more than drift and
/// an answer's time of travel.
const SKEW_MS: i64 = 5 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Before a root's end it is said this early.
const ROOT_WARNING_MS: i64 = 90 * DAY_MS;

impl Health {
    /// Nothing is wrong yet.
    pub fn new(
        place: Arc<Place>,
        owner: Owner,
        clock: Arc<dyn Clock>,
        board: Arc<LinkBoard>,
    ) -> Self {
        let (refusals, since, raised) = (Refusals::default(), Mutex::default(), Mutex::default());
        Self { place, owner, clock, board, refusals, since, raised }
    }

    /// Notes something that only the moment knows: a refused configuration.
    pub fn raise(&self, code: ConditionCode, detail: String) {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).insert(code, detail);
    }

    /// Notes that it is over.
    pub fn clear(&self, code: ConditionCode) {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).remove(&code);
    }

    /// Whether a verified bundle can answer.
    pub fn is_ready(&self) -> bool {
        let snapshot = self.owner.snapshot();
        let now = snapshot.now(&self.clock.read());
        let lines = snapshot.documents.policy.lines(&now);
        lines.iter().flat_map(|line| &line.licenses).any(|license| {
            license.in_force && !matches!(license.phase, Phase::NotBegun | Phase::Stopped)
        })
    }

    /// Every condition that stands now, worst first.
    pub fn conditions(&self, queue: &QueueFigures) -> Vec<Condition> {
        let snapshot = self.owner.snapshot();
        let reading = self.clock.read();
        let now = snapshot.now(&reading);
        let found = self.find(&snapshot, &reading, &now, queue);
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.retain(|code, _| found.contains_key(code));
        let mut conditions: Vec<Condition> = found
            .into_iter()
            .map(|(code, detail)| Condition {
                code,
                severity: code.severity(),
                since: {
                    let since = since.entry(code).or_insert(now.instant);
                    // Time itself may have been set back: by the Kernel, or by a clock reset.
                    *since = now.instant.min(*since);
                    *since
                },
                impact: code.impact().to_owned(),
                hint: if detail.is_empty() {
                    code.hint().to_owned()
                } else {
                    format!("{} ({detail})", code.hint())
                },
            })
            .collect();
        conditions.sort_by_key(|condition| std::cmp::Reverse(condition.severity));
        conditions
    }

    fn find(
        &self,
        snapshot: &Snapshot,
        reading: &ClockReading,
        now: &Now,
        queue: &QueueFigures,
    ) -> BTreeMap<ConditionCode, String> {
        let mut found = self.raised.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut note = |stands: bool, code: ConditionCode, detail: String| {
            if stands {
                found.insert(code, detail);
            }
        };
        let documents = &snapshot.documents;
        let none = String::new;
        note(self.place.own_tenant().is_none(), ConditionCode::NotEnrolled, none());
        match documents.standing.root() {
            None => note(true, ConditionCode::TrustMissing, none()),
            Some(root) => {
                let left_ms = root.root().expires.as_ms() - now.instant.as_ms();
                let (version, expires) = (root.version(), root.root().expires);
                let detail = match left_ms > 0 {
                    true => format!("root {version} ends at {expires}"),
                    false => format!("root {version} ended at {expires}; nothing new is taken"),
                };
                note(left_ms < ROOT_WARNING_MS, ConditionCode::TrustRootExpiring, detail);
                note(
                    documents.standing.licenses().is_empty(),
                    ConditionCode::BundleMissing,
                    none(),
                );
            }
        }
        let drift = machine::drift(snapshot, now);
        note(drift.is_some(), ConditionCode::FingerprintDrift, drift.unwrap_or_default());
        let unread = machine::by_memory(snapshot, now);
        note(unread.is_some(), ConditionCode::FingerprintUnread, unread.unwrap_or_default());
        let refused: Vec<String> =
            self.refusals.told().into_iter().chain(kept_out(snapshot, now)).collect();
        note(!refused.is_empty(), ConditionCode::BundleRejected, refused.join("; "));
        for (code, detail) in documents.policy.conditions(now) {
            note(true, code, detail);
        }
        let wall = snapshot.wall_standing(reading);
        if let Some((code, detail)) = clocks::told(wall, now, self.kernel_time(reading)) {
            note(true, code, detail);
        }
        for (code, detail) in self.of_the_link(snapshot, now) {
            note(true, code, detail);
        }
        let percent = queue.bytes * 100 / self.place.cap_bytes.max(1);
        let detail = format!("{percent} % of {} bytes", self.place.cap_bytes);
        note(
            (HIGH_PERCENT..FULL_PERCENT).contains(&percent),
            ConditionCode::QueueHigh,
            detail.clone(),
        );
        note(percent >= FULL_PERCENT, ConditionCode::QueueFull, detail);
        let free = free_bytes(&self.place.state_dir).unwrap_or(u64::MAX);
        note(free < DISK_LOW_BYTES, ConditionCode::DiskLow, format!("{free} bytes are free"));
        if let Some(aside) = &self.place.moved_aside {
            note(true, ConditionCode::StoreRecovered, format!("kept as {}", aside.display()));
        }
        found
    }

    fn of_the_link(&self, snapshot: &Snapshot, now: &Now) -> Vec<(ConditionCode, String)> {
        let view = self.board.view();
        let mut found = Vec::new();
        if let Some(failing) = &view.failing {
            let online = self.board.is_online(self.clock.read().boottime_ms);
            let detail = format!("since {}: {}", failing.since, failing.told);
            if view.auth_rejected {
                found.push((ConditionCode::AuthRejected, detail));
            } else if let Some(seen) = &view.intercepted {
                found.push((ConditionCode::ProxyIntercepts, seen.clone()));
            } else if !online {
                found.push((ConditionCode::KernelUnreachable, detail));
            }
        }
        if let Some(life) = view.certificate {
            let left_ms = life.ends.as_ms() - now.wall.as_ms();
            let whole_ms = life.ends.as_ms() - life.begins.as_ms();
            let detail = format!("it ends at {}", life.ends);
            if left_ms <= 0 {
                found.push((ConditionCode::CertificateExpired, detail));
            } else if left_ms < whole_ms / 5 {
                // Renewal begins at two thirds of its life: by now it has failed for a while.
                found.push((ConditionCode::CertificateExpiring, detail));
            }
        }
        if let Some(taken) = snapshot.word.told() {
            found.push((ConditionCode::RuntimeSuspended, taken));
        }
        found
    }

    /// What the Kernel's time says of the system clock.
    fn kernel_time(&self, reading: &ClockReading) -> KernelTime {
        let view = self.board.view();
        match view.skew_ms {
            skew_ms if skew_ms.abs() > SKEW_MS => KernelTime::Differs { skew_ms },
            _ if self.board.is_online(reading.boottime_ms) => KernelTime::Agrees,
            _ => KernelTime::Unknown,
        }
    }
}

/// Why a bundle or a license is not taken, and what helps: the condition's own words can't know.
pub(crate) fn why_refused(code: Code, detail: &str) -> String {
    let what = if detail.is_empty() { code.sentence().trim_end_matches('.') } else { detail };
    format!("{code}: {what}. {}", code.action())
}

/// A license that would decide, but that this site can't admit: not for what the site gave up
/// itself, and not for the machine, whose drift is told as such.
fn kept_out(snapshot: &Snapshot, now: &Now) -> Option<String> {
    let documents = &snapshot.documents;
    let is_told = |view: &&LicenseView| match view.barred {
        None | Some(Code::LicenseReleased) => false,
        Some(Code::LicenseBinding) => machine::binding_of(&documents.standing, view).is_none(),
        Some(_) => true,
    };
    let lines = documents.policy.lines(now);
    let above_what_decides =
        lines.iter().flat_map(|line| line.licenses.iter().take_while(|license| !license.in_force));
    above_what_decides
        .filter(|view| !view.revoked && view.phase != Phase::Stopped)
        .find(is_told)
        .and_then(|view| documents.not_admitted.get(&(view.license_id, view.serial.as_u64())))
        .map(|why| why_refused(why.code, &why.detail))
}
