//! Pace: how often a runtime's heartbeat is worth a write.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use farhold_contract::{Timestamp, call::heartbeat::Health, id::RuntimeId};

/// Heartbeats that say the same within this are answered, and not written: a runtime in a loop
/// costs the others nothing.
const SPAN: Duration = Duration::from_secs(5);

/// What runtimes last said; of each only the last, so there are never more than runtimes.
#[derive(Default)]
pub(super) struct Pace(Mutex<BTreeMap<RuntimeId, (Timestamp, Health)>>);

impl Pace {
    /// Whether this heartbeat says something new; if so, it is taken as said.
    pub(super) fn is_news(&self, runtime_id: RuntimeId, health: Health, now: Timestamp) -> bool {
        let mut said = self.said();
        let old = said.get(&runtime_id).is_some_and(|(at, before)| {
            *before == health && *at <= now && now.saturating_since(*at) < SPAN
        });
        if !old {
            said.insert(runtime_id, (now, health));
        }
        !old
    }

    /// Forgets what could not be written.
    pub(super) fn forget_one(&self, runtime_id: RuntimeId) {
        self.said().remove(&runtime_id);
    }

    /// Forgets what would be written again anyway.
    pub(super) fn forget(&self, now: Timestamp) {
        self.said().retain(|_, (at, _)| *at <= now && now.saturating_since(*at) < SPAN);
    }

    fn said(&self) -> MutexGuard<'_, BTreeMap<RuntimeId, (Timestamp, Health)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_just_said_is_no_news_and_another_health_is() {
        let pace = Pace::default();
        let runtime_id = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50".parse().unwrap();
        let at = Timestamp::from_ms(1_000_000);
        assert!(pace.is_news(runtime_id, Health::Healthy, at));
        assert!(!pace.is_news(runtime_id, Health::Healthy, at + Duration::from_secs(4)));
        assert!(pace.is_news(runtime_id, Health::Degraded, at + Duration::from_secs(4)));
        assert!(pace.is_news(runtime_id, Health::Degraded, at + Duration::from_secs(9)));
        // A clock that was set back silences nobody.
        assert!(pace.is_news(runtime_id, Health::Degraded, at));
        pace.forget_one(runtime_id);
        assert!(pace.is_news(runtime_id, Health::Degraded, at));
    }
}
