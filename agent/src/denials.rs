//! Refusals told once: the first is durable before its answer, repeats within a minute are counted.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use farhold_contract::{
    Code, Timestamp,
    id::{RuntimeId, TenantId},
};

/// What makes two refusals the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DenialKey {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime that asked.
    pub runtime_id: RuntimeId,
    /// What it asked for.
    pub feature: String,
    /// Why it was refused.
    pub code: Code,
}

/// Refusals of the last minute. Only refusals come here: an allowed check takes no lock.
#[derive(Default)]
pub struct Denials(Mutex<BTreeMap<DenialKey, Repeats>>);

struct Repeats {
    first_at: Timestamp,
    count: u64,
}

/// How long repeats are counted before they are written as one event.
const SPAN: Duration = Duration::from_secs(60);
/// Most different refusals held at once: past it, features are summed under one name, so that a
/// runtime that makes names up can fill neither memory nor queue.
const KEYS_MAX: usize = 16_384;
const OTHER_FEATURES: &str = "*";

impl Denials {
    /// Whether this refusal is the first of its kind within the minute; else it has been counted.
    pub fn is_first(&self, key: &DenialKey, now: Timestamp) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(repeats) = held.get_mut(key) {
            repeats.count += 1;
            return false;
        }
        if held.len() < KEYS_MAX {
            held.insert(key.clone(), Repeats { first_at: now, count: 0 });
            return true;
        }
        let summed = DenialKey { feature: OTHER_FEATURES.to_owned(), ..key.clone() };
        held.entry(summed).or_insert(Repeats { first_at: now, count: 0 }).count += 1;
        false
    }

    /// Forgets a feature's refusals: what could not be kept must be told again.
    pub fn forget(&self, tenant_id: TenantId, runtime_id: RuntimeId, feature: &str) {
        let same = |key: &DenialKey| {
            key.tenant_id == tenant_id && key.runtime_id == runtime_id && key.feature == feature
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| !same(key));
    }

    /// Takes out what is over a minute old (everything, with `all`); repeats are to be written.
    pub fn take_due(&self, now: Timestamp, all: bool) -> Vec<(DenialKey, u64)> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |repeats: &Repeats| all || now.saturating_since(repeats.first_at) >= SPAN;
        held.extract_if(.., |_, repeats| due(repeats))
            .filter(|(_, repeats)| repeats.count > 0)
            .map(|(key, repeats)| (key, repeats.count))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(feature: &str) -> DenialKey {
        DenialKey {
            tenant_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f".parse().unwrap(),
            runtime_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e50".parse().unwrap(),
            feature: feature.to_owned(),
            code: Code::FeatureNotGranted,
        }
    }

    #[test]
    fn the_first_refusal_is_told_and_repeats_are_counted_for_a_minute() {
        let denials = Denials::default();
        let at = Timestamp::from_ms(1_000_000);
        assert!(denials.is_first(&key("a"), at));
        assert!(denials.is_first(&key("b"), at));
        for _ in 0..5 {
            assert!(!denials.is_first(&key("a"), at));
        }
        assert!(denials.take_due(at + Duration::from_secs(59), false).is_empty());
        assert_eq!(denials.take_due(at + SPAN, false), [(key("a"), 5)]);
        assert!(denials.is_first(&key("a"), at + SPAN));
    }

    #[test]
    fn a_flood_of_different_refusals_is_summed_and_loses_no_count() {
        let denials = Denials::default();
        let at = Timestamp::from_ms(1_000_000);
        let told =
            (0..KEYS_MAX + 100).filter(|n| denials.is_first(&key(&n.to_string()), at)).count();
        assert_eq!(told, KEYS_MAX);
        assert_eq!(denials.take_due(at, true), [(key(OTHER_FEATURES), 100)]);
    }
}
