//! Refusals told once: the first is durable before its answer, repeats within a minute are counted
//! (contract v0.2 §4).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use farhold_contract::{
    Code, Timestamp,
    id::{RuntimeId, TenantId},
};

/// How long repeats are counted before they are written as one event.
const SPAN: Duration = Duration::from_secs(60);

/// Most different refusals held of one organization at once. Past it, its features are summed
/// under one name: one that makes names up fills neither memory nor chain, and no other's share.
const KEYS_MAX: usize = 4_096;

/// The name they are summed under.
const OTHER_FEATURES: &str = "*";

/// What makes two refusals the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DenialKey {
    pub(super) tenant_id: TenantId,
    pub(super) runtime_id: RuntimeId,
    pub(super) feature: String,
    pub(super) code: Code,
}

/// Refusals of the last minute. Only refusals come here: an allowed check takes no lock of these.
#[derive(Default)]
pub(super) struct Denials(Mutex<BTreeMap<TenantId, BTreeMap<DenialKey, Repeats>>>);

#[derive(Debug)]
struct Repeats {
    first_at: Timestamp,
    count: u64,
}

impl Denials {
    /// Whether this refusal is to be told; else it is a repeat, and has been counted.
    pub(super) fn is_first(&self, key: &DenialKey, now: Timestamp) -> bool {
        let mut held = self.held();
        let of_tenant = held.entry(key.tenant_id).or_default();
        if let Some(repeats) = of_tenant.get_mut(key) {
            repeats.count += 1;
            return false;
        }
        if of_tenant.len() < KEYS_MAX {
            of_tenant.insert(key.clone(), Repeats { first_at: now, count: 0 });
            return true;
        }
        let summed = DenialKey { feature: OTHER_FEATURES.to_owned(), ..key.clone() };
        of_tenant.entry(summed).or_insert(Repeats { first_at: now, count: 0 }).count += 1;
        false
    }

    /// Forgets a refusal that could not be kept: the next one like it is told again.
    pub(super) fn forget(&self, key: &DenialKey) {
        if let Some(of_tenant) = self.held().get_mut(&key.tenant_id) {
            of_tenant.remove(key);
        }
    }

    /// Takes out what is over a minute old (everything, with `all`); the repeats are to be written.
    pub(super) fn take_due(&self, now: Timestamp, all: bool) -> Vec<(DenialKey, u64)> {
        let mut held = self.held();
        let mut due = Vec::new();
        for of_tenant in held.values_mut() {
            let over = |repeats: &Repeats| all || now.saturating_since(repeats.first_at) >= SPAN;
            let taken = of_tenant.extract_if(.., |_, repeats| over(repeats));
            due.extend(
                taken.filter(|(_, r)| r.count > 0).map(|(key, repeats)| (key, repeats.count)),
            );
        }
        held.retain(|_, of_tenant| !of_tenant.is_empty());
        due
    }

    /// Counts on from what was taken out and could not be written.
    pub(super) fn put_back(&self, due: Vec<(DenialKey, u64)>, now: Timestamp) {
        let mut held = self.held();
        for (key, count) in due {
            let of_tenant = held.entry(key.tenant_id).or_default();
            of_tenant.entry(key).or_insert(Repeats { first_at: now, count: 0 }).count += count;
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<TenantId, BTreeMap<DenialKey, Repeats>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_ms(1_000_000);

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
        assert!(denials.is_first(&key("a"), AT));
        assert!(denials.is_first(&key("b"), AT));
        for _ in 0..5 {
            assert!(!denials.is_first(&key("a"), AT));
        }
        assert!(denials.take_due(AT + Duration::from_secs(59), false).is_empty());
        assert_eq!(denials.take_due(AT + SPAN, false), [(key("a"), 5)]);
        assert!(denials.is_first(&key("a"), AT + SPAN));
    }

    #[test]
    fn what_could_not_be_kept_is_told_again_and_what_was_counted_is_counted_on() {
        let denials = Denials::default();
        assert!(denials.is_first(&key("a"), AT));
        denials.forget(&key("a"));
        assert!(denials.is_first(&key("a"), AT));
        assert!(!denials.is_first(&key("a"), AT));
        let due = denials.take_due(AT, true);
        denials.put_back(due, AT);
        assert!(!denials.is_first(&key("a"), AT));
        assert_eq!(denials.take_due(AT, true), [(key("a"), 2)]);
    }

    #[test]
    fn a_flood_of_different_refusals_is_summed_and_takes_nothing_from_another_organization() {
        let denials = Denials::default();
        let told = (0..KEYS_MAX + 100)
            .filter(|number| denials.is_first(&key(&number.to_string()), AT))
            .count();
        assert_eq!(told, KEYS_MAX);
        let other = DenialKey {
            tenant_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e51".parse().unwrap(),
            ..key("a")
        };
        assert!(denials.is_first(&other, AT));
        assert_eq!(denials.take_due(AT, true), [(key(OTHER_FEATURES), 100)]);
    }
}
