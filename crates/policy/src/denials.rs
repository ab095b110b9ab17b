//! Refusals told once: the first is durable before its answer, repeats within a minute are counted
//! (contract v0.2 §4).

use std::{collections::BTreeMap, time::Duration};

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

/// Refusals of the last minute. Only refusals come here: an allowed check asks nothing of it.
///
/// Whoever answers asks [`Self::is_first`], and has that one written before the answer; once in a
/// while [`Self::take_due`] gives out the repeats to be written. What could not be written goes to
/// [`Self::forget`] and [`Self::put_back`], so that no count is lost.
#[derive(Debug, Default)]
pub struct Denials {
    tenants: BTreeMap<TenantId, BTreeMap<DenialKey, Repeats>>,
}

#[derive(Debug)]
struct Repeats {
    first_at: Timestamp,
    count: u64,
    /// Whether the first was told, or is about to be.
    told: bool,
}

impl Denials {
    /// Whether this refusal is to be told; else it is a repeat, and has been counted.
    pub fn is_first(&mut self, key: &DenialKey, now: Timestamp) -> bool {
        let of_tenant = self.tenants.entry(key.tenant_id).or_default();
        if let Some(repeats) = of_tenant.get_mut(key) {
            let is_first = !repeats.told;
            repeats.told = true;
            repeats.count += u64::from(!is_first);
            return is_first;
        }
        if of_tenant.len() < KEYS_MAX {
            of_tenant.insert(key.clone(), Repeats::begun(now));
            return true;
        }
        self.sum(key, 1, now);
        false
    }

    /// Counts refusals under the one name of their runtime and reason: there is no room for an
    /// event of their own.
    pub fn sum(&mut self, key: &DenialKey, count: u64, now: Timestamp) {
        self.count(DenialKey { feature: OTHER_FEATURES.to_owned(), ..key.clone() }, count, now);
    }

    /// Forgets a refusal that could not be kept: the next one like it is told again. Repeats
    /// counted meanwhile stay counted.
    pub fn forget(&mut self, key: &DenialKey) {
        let Some(of_tenant) = self.tenants.get_mut(&key.tenant_id) else { return };
        match of_tenant.get_mut(key) {
            Some(repeats) if repeats.count > 0 => repeats.told = false,
            _ => drop(of_tenant.remove(key)),
        }
    }

    /// Takes out what is over a minute old (everything, with `all`); the repeats are to be written.
    pub fn take_due(&mut self, now: Timestamp, all: bool) -> Vec<(DenialKey, u64)> {
        let mut due = Vec::new();
        for of_tenant in self.tenants.values_mut() {
            let over = |repeats: &Repeats| all || now.saturating_since(repeats.first_at) >= SPAN;
            let taken = of_tenant.extract_if(.., |_, repeats| over(repeats));
            due.extend(
                taken.filter(|(_, r)| r.count > 0).map(|(key, repeats)| (key, repeats.count)),
            );
        }
        self.tenants.retain(|_, of_tenant| !of_tenant.is_empty());
        due
    }

    /// Counts on from what was taken out and could not be written.
    pub fn put_back(&mut self, due: Vec<(DenialKey, u64)>, now: Timestamp) {
        for (key, count) in due {
            let of_tenant = self.tenants.get(&key.tenant_id);
            // What came meanwhile has taken the room.
            if of_tenant.is_some_and(|held| held.len() >= KEYS_MAX && !held.contains_key(&key)) {
                self.sum(&key, count, now);
            } else {
                self.count(key, count, now);
            }
        }
    }

    fn count(&mut self, key: DenialKey, count: u64, now: Timestamp) {
        let of_tenant = self.tenants.entry(key.tenant_id).or_default();
        of_tenant.entry(key).or_insert(Repeats::begun(now)).count += count;
    }
}

impl Repeats {
    const fn begun(first_at: Timestamp) -> Self {
        Self { first_at, count: 0, told: true }
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

    fn flooded() -> (Denials, usize) {
        let mut denials = Denials::default();
        let told = (0..KEYS_MAX + 100)
            .filter(|number| denials.is_first(&key(&number.to_string()), AT))
            .count();
        (denials, told)
    }

    #[test]
    fn the_first_refusal_is_told_and_repeats_are_counted_for_a_minute() {
        let mut denials = Denials::default();
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
        let mut denials = Denials::default();
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
    fn repeats_of_a_first_that_could_not_be_kept_stay_counted() {
        let mut denials = Denials::default();
        assert!(denials.is_first(&key("a"), AT));
        assert!(!denials.is_first(&key("a"), AT));
        denials.forget(&key("a"));
        assert!(denials.is_first(&key("a"), AT));
        assert!(!denials.is_first(&key("a"), AT));
        assert_eq!(denials.take_due(AT, true), [(key("a"), 2)]);
    }

    #[test]
    fn a_flood_of_different_refusals_is_summed_and_takes_nothing_from_another_organization() {
        let (mut denials, told) = flooded();
        assert_eq!(told, KEYS_MAX);
        let other = DenialKey {
            tenant_id: "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e51".parse().unwrap(),
            ..key("a")
        };
        assert!(denials.is_first(&other, AT));
        assert_eq!(denials.take_due(AT, true), [(key(OTHER_FEATURES), 100)]);
    }

    #[test]
    fn what_is_put_back_after_a_flood_is_summed_with_it() {
        let (mut denials, _) = flooded();
        denials.put_back(vec![(key("a"), 7), (key("b"), 5), (key("0"), 3)], AT);
        assert_eq!(denials.take_due(AT, true), [(key(OTHER_FEATURES), 112), (key("0"), 3)]);
    }

    #[test]
    fn what_gets_no_event_of_its_own_is_counted_under_one_name() {
        let mut denials = Denials::default();
        assert!(denials.is_first(&key("a"), AT));
        denials.sum(&key("a"), 1, AT);
        denials.sum(&key("b"), 4, AT);
        assert_eq!(denials.take_due(AT + SPAN, false), [(key(OTHER_FEATURES), 5)]);
    }
}
