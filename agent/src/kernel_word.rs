//! The Kernel's word: what its last accepted answer took away.
//!
//! Authenticated, not signed: it only takes away, and gives back what a signed license holds. It
//! is kept before it takes effect and stands until a later answer, or an imported license that
//! was issued later, gives back (contract v0.2 §7).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use farhold_bundle::payload::License;
use farhold_contract::{
    Timestamp,
    call::heartbeat::{
        HeartbeatAnswer, KernelStanding, KernelStatus, RuntimeStanding, TenantStanding,
    },
    id::{RuntimeId, TenantId},
};
use farhold_policy::Restraints;

/// Under which name the store keeps it.
pub(crate) const KEPT_AS: &str = "kernel_word";

/// What the Kernel's last accepted answer took away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelWord {
    tenants: BTreeMap<TenantId, Restrained>,
    runtimes: BTreeMap<RuntimeId, RestrainedRuntime>,
}

/// One organization, as long as something is taken from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Restrained {
    standing: KernelStanding,
    /// When the Kernel said so last, by its own clock.
    given_at: Timestamp,
}

/// One runtime, as long as something is taken from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RestrainedRuntime {
    tenant_id: TenantId,
    standing: KernelStanding,
    given_at: Timestamp,
}

/// Whose standing has changed, for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The organization.
    pub tenant_id: TenantId,
    /// The runtime, if it is one's and not the whole organization's.
    pub runtime_id: Option<RuntimeId>,
    /// How it stands now.
    pub standing: KernelStanding,
}

impl KernelWord {
    /// What an answer takes away, at a site with these organizations, the agent's own first.
    /// Whatever it says of others has no meaning here.
    ///
    /// It counts as given at the Kernel's own time, or now if that is earlier: a word dated to the
    /// end of days could be lifted by no license.
    pub fn of(answer: &HeartbeatAnswer, tenants: &[TenantId], now: Timestamp) -> Self {
        let given_at = answer.server_time.min(now);
        let own = tenants.first().map(|&tenant_id| (tenant_id, &answer.standing));
        let others = answer
            .tenants
            .iter()
            .map(|TenantStanding { tenant_id, standing }| (*tenant_id, standing));
        let tenants_named = own
            .into_iter()
            .chain(others)
            .filter(|(tenant_id, standing)| tenants.contains(tenant_id) && !standing.is_active())
            .map(|(tenant_id, standing)| {
                (tenant_id, Restrained { standing: standing.clone(), given_at })
            });
        let runtimes = answer
            .runtimes
            .iter()
            .filter(|named| tenants.contains(&named.tenant_id) && !named.standing.is_active())
            .map(|RuntimeStanding { tenant_id, runtime_id, standing }| {
                let standing = standing.clone();
                (*runtime_id, RestrainedRuntime { tenant_id: *tenant_id, standing, given_at })
            });
        Self { tenants: tenants_named.collect(), runtimes: runtimes.collect() }
    }

    /// Gives back what was taken from an organization before this license of its own was issued.
    pub fn lift_by(&mut self, license: &License) {
        let tenant_id = license.tenant.tenant_id;
        let lifts = |given_at: Timestamp| given_at < license.issued_at;
        self.tenants.retain(|id, restrained| *id != tenant_id || !lifts(restrained.given_at));
        self.runtimes.retain(|_, restrained| {
            restrained.tenant_id != tenant_id || !lifts(restrained.given_at)
        });
    }

    /// Whether nothing is taken from anybody.
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty() && self.runtimes.is_empty()
    }

    /// What is taken from a runtime.
    pub fn restraints(&self, tenant_id: TenantId, runtime_id: RuntimeId) -> Restraints {
        if self.is_empty() {
            return Restraints::default();
        }
        let tenant = self.tenants.get(&tenant_id).map(|restrained| &restrained.standing);
        let runtime = self
            .runtimes
            .get(&runtime_id)
            .filter(|restrained| restrained.tenant_id == tenant_id)
            .map(|restrained| &restrained.standing);
        let suspended = |standing: Option<&KernelStanding>| {
            standing.is_some_and(|standing| standing.status == KernelStatus::Suspended)
        };
        Restraints {
            tenant_suspended: suspended(tenant),
            runtime_suspended: suspended(runtime),
            features_denied: [tenant, runtime]
                .into_iter()
                .flatten()
                .flat_map(|standing| standing.features_denied.iter().cloned())
                .collect(),
        }
    }

    /// Whose standing differs from an earlier word's; saying the same again changes nothing.
    pub fn changed_since(&self, before: &Self) -> Vec<Changed> {
        let mut changed = Vec::new();
        for (&tenant_id, now, then) in both(&self.tenants, &before.tenants) {
            let standing = now.map(|restrained| &restrained.standing);
            if standing != then.map(|restrained| &restrained.standing) {
                changed.push(Changed {
                    tenant_id,
                    runtime_id: None,
                    standing: or_active(standing),
                });
            }
        }
        for (&runtime_id, now, then) in both(&self.runtimes, &before.runtimes) {
            let Some(tenant_id) = now.or(then).map(|restrained| restrained.tenant_id) else {
                continue;
            };
            let standing = now.map(|restrained| &restrained.standing);
            if standing != then.map(|restrained| &restrained.standing) {
                let standing = or_active(standing);
                changed.push(Changed { tenant_id, runtime_id: Some(runtime_id), standing });
            }
        }
        changed
    }

    /// What is taken away, for people; `None` if nothing is.
    pub fn told(&self) -> Option<String> {
        let says = |standing: &KernelStanding| match standing.status {
            KernelStatus::Suspended => "suspended".to_owned(),
            KernelStatus::Active | KernelStatus::Limited => {
                let denied: Vec<_> = standing.features_denied.iter().map(String::as_str).collect();
                format!("without {}", denied.join(", "))
            }
        };
        let tenants = self
            .tenants
            .iter()
            .map(|(id, restrained)| format!("organization {id} {}", says(&restrained.standing)));
        let runtimes = self
            .runtimes
            .iter()
            .map(|(id, restrained)| format!("runtime {id} {}", says(&restrained.standing)));
        let told: Vec<_> = tenants.chain(runtimes).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

fn or_active(standing: Option<&KernelStanding>) -> KernelStanding {
    standing.cloned().unwrap_or(KernelStanding::ACTIVE)
}

/// Every key of either map, with what each has for it.
fn both<'m, K: Ord, V>(
    now: &'m BTreeMap<K, V>,
    then: &'m BTreeMap<K, V>,
) -> impl Iterator<Item = (&'m K, Option<&'m V>, Option<&'m V>)> {
    let gone = then.keys().filter(|key| !now.contains_key(key));
    now.keys().chain(gone).map(|key| (key, now.get(key), then.get(key)))
}

#[cfg(test)]
mod tests {
    use farhold_contract::version::ContractVersion;

    use super::*;

    const OWN: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e01";
    const OTHER: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e02";
    const STRANGER: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e03";
    const RUNTIME: &str = "01939b6e-3c5f-7a31-8b53-0f6f1c2d3e11";

    const NOW: Timestamp = Timestamp::from_ms(10_000);

    fn tenants() -> Vec<TenantId> {
        vec![OWN.parse().unwrap(), OTHER.parse().unwrap()]
    }

    fn limited(feature: &str) -> KernelStanding {
        KernelStanding {
            status: KernelStatus::Limited,
            features_denied: [feature.to_owned()].into(),
        }
    }

    fn suspended() -> KernelStanding {
        KernelStanding { status: KernelStatus::Suspended, ..KernelStanding::ACTIVE }
    }

    fn answer(standing: KernelStanding) -> HeartbeatAnswer {
        HeartbeatAnswer {
            standing,
            tenants: Vec::new(),
            runtimes: Vec::new(),
            bundle_digest: None,
            server_time: Timestamp::from_ms(1_000),
            poll_after: 60,
            contract_versions: ContractVersion::ALL.to_vec(),
            backfill: Vec::new(),
        }
    }

    #[test]
    fn a_suspended_organization_is_suspended_in_all_its_runtimes_and_no_other_is() {
        let word = KernelWord::of(&answer(suspended()), &tenants(), NOW);
        let runtime = RUNTIME.parse().unwrap();
        assert!(word.restraints(OWN.parse().unwrap(), runtime).tenant_suspended);
        assert_eq!(word.restraints(OTHER.parse().unwrap(), runtime), Restraints::default());
    }

    #[test]
    fn what_is_denied_to_the_organization_and_to_the_runtime_adds_up() {
        let mut answer = answer(limited("a"));
        answer.runtimes.push(RuntimeStanding {
            tenant_id: OWN.parse().unwrap(),
            runtime_id: RUNTIME.parse().unwrap(),
            standing: limited("b"),
        });
        let word = KernelWord::of(&answer, &tenants(), NOW);
        let restraints = word.restraints(OWN.parse().unwrap(), RUNTIME.parse().unwrap());
        assert_eq!(restraints.features_denied, ["a".to_owned(), "b".to_owned()].into());
        assert!(!restraints.runtime_suspended);
    }

    #[test]
    fn a_strangers_organization_in_an_answer_has_no_meaning_here() {
        let mut answer = answer(KernelStanding::ACTIVE);
        let tenant_id = STRANGER.parse().unwrap();
        answer.tenants.push(TenantStanding { tenant_id, standing: suspended() });
        assert!(KernelWord::of(&answer, &tenants(), NOW).is_empty());
    }

    #[test]
    fn only_a_change_is_told_and_giving_back_is_one() {
        let taken = KernelWord::of(&answer(suspended()), &tenants(), NOW);
        let again = KernelWord::of(
            &HeartbeatAnswer { server_time: Timestamp::from_ms(2_000), ..answer(suspended()) },
            &tenants(),
            NOW,
        );
        assert_ne!(taken, again, "the later one stands for longer");
        assert_eq!(again.changed_since(&taken), []);
        let back = KernelWord::default().changed_since(&taken);
        assert_eq!(back.len(), 1);
        assert!(back[0].standing.is_active());
    }

    #[test]
    fn a_word_dated_far_ahead_counts_as_given_now() {
        let ahead =
            HeartbeatAnswer { server_time: Timestamp::from_ms(i64::MAX), ..answer(suspended()) };
        let honest = HeartbeatAnswer { server_time: NOW, ..answer(suspended()) };
        let word = KernelWord::of(&ahead, &tenants(), NOW);
        assert_eq!(word, KernelWord::of(&honest, &tenants(), NOW));
    }

    #[test]
    fn a_word_survives_being_kept() {
        let word = KernelWord::of(&answer(limited("a")), &tenants(), NOW);
        let kept = serde_json::to_string(&word).unwrap();
        assert_eq!(serde_json::from_str::<KernelWord>(&kept).unwrap(), word);
    }
}
