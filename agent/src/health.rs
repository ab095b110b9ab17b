//! What is wrong with the site now, as the closed list of conditions; and whether it can answer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use farhold_contract::{
    Code, Timestamp,
    condition::{Condition, ConditionCode},
};
use farhold_policy::{LicenseView, Now, Phase};
use farhold_store::QueueFigures;

use crate::{
    cap::{FULL_PERCENT, HIGH_PERCENT},
    clock::Clock,
    link_board::LinkBoard,
    machine,
    owner::Owner,
    site::Place,
    snapshot::Snapshot,
};

/// Where conditions are found, and since when each stands.
pub struct Health {
    place: Arc<Place>,
    owner: Owner,
    clock: Arc<dyn Clock>,
    board: Arc<LinkBoard>,
    since: Mutex<BTreeMap<ConditionCode, Timestamp>>,
    raised: Mutex<BTreeMap<ConditionCode, String>>,
}

/// Below this the filesystem is said to be nearly full.
const DISK_LOW_BYTES: u64 = 256 << 20;
/// How far the system clock may be from the agent's own time, or the Kernel's, before it is said:
/// more than drift and an answer's time of travel.
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
        Self { place, owner, clock, board, since: Mutex::default(), raised: Mutex::default() }
    }

    /// Notes something that only the moment knows: a refused bundle, a refused configuration.
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
        let now = snapshot.now(&self.clock.read());
        let found = self.find(&snapshot, &now, queue);
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.retain(|code, _| found.contains_key(code));
        let mut conditions: Vec<Condition> = found
            .into_iter()
            .map(|(code, detail)| Condition {
                code,
                severity: code.severity(),
                since: *since.entry(code).or_insert(now.instant),
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
        let kept_out = kept_out(snapshot, now);
        note(kept_out.is_some(), ConditionCode::BundleRejected, kept_out.unwrap_or_default());
        for (code, detail) in documents.policy.conditions(now) {
            note(true, code, detail);
        }
        let ahead_ms = now.wall.as_ms() - now.mark.as_ms();
        let mut detail = format!("wall {}, agent's own time {}", now.wall, now.mark);
        if now.is_on_probation() {
            detail.push_str(", which follows after 24 hours of uptime or by the Kernel's word");
        }
        let rolled_back = now.is_rolled_back();
        note(rolled_back, ConditionCode::ClockRollback, detail.clone());
        note(!rolled_back && ahead_ms.abs() > SKEW_MS, ConditionCode::ClockSkew, detail);
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
        let free = rustix::fs::statvfs(&self.place.state_dir)
            .map_or(u64::MAX, |fs| fs.f_bavail.saturating_mul(fs.f_frsize));
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
        if view.skew_ms.abs() > SKEW_MS {
            let detail = format!("{} s from the Kernel's", view.skew_ms / 1000);
            found.push((ConditionCode::ClockSkew, detail));
        }
        if let Some(taken) = snapshot.word.told() {
            found.push((ConditionCode::RuntimeSuspended, taken));
        }
        found
    }
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
        .map(ToString::to_string)
}
