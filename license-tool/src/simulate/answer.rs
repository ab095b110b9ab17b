//! Answers: what the site says to each question that can be asked of its licenses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use farhold_bundle::Standing;
use farhold_contract::{
    Code,
    id::{RuntimeId, TenantId},
    mode::Mode,
    model::RuntimeType,
};
use farhold_policy::{
    Link, Now, PolicyState, Question, Resolution, Restraints, RuntimeFacts, Scope,
};

/// Allowed in a mode, or refused by a code.
pub type Answer = Result<Mode, Code>;

/// Who asks for what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An entitlement of a product, whoever of its scope asks.
    Entitlement {
        /// The organization.
        tenant_id: TenantId,
        /// The product.
        product: String,
        /// The feature.
        feature: String,
        /// For whom.
        scope: Scope,
        /// Asked by a runtime that the license covers without end.
        released: bool,
    },
    /// A feature that one runtime asks for; without one, its registration.
    Runtime {
        /// The organization.
        tenant_id: TenantId,
        /// What it is.
        kind: RuntimeType,
        /// Its version.
        version: String,
        /// Which one, where two are alike.
        runtime_id: RuntimeId,
        /// What it asks for; absent: to be registered.
        feature: Option<String>,
    },
}

/// An answer that is other than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerChange {
    /// Who asks for what.
    pub subject: Subject,
    /// The answer before; absent: there was no license yet.
    pub before: Option<Answer>,
    /// The answer now.
    pub after: Answer,
}

/// All answers at one instant. Quotas are taken as unused, and the Kernel takes nothing away.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers(BTreeMap<Subject, Option<Answer>>);

impl Answers {
    /// Of a site that has not imported yet.
    pub(super) fn none(standing: &Standing, runtimes: &[RuntimeFacts]) -> Self {
        let subjects = if runtimes.is_empty() {
            entitlements(standing)
        } else {
            askers(standing, runtimes).into_iter().map(|(subject, _)| subject).collect()
        };
        Self(subjects.into_iter().map(|subject| (subject, None)).collect())
    }

    pub(super) fn at(
        standing: &Standing,
        policy: &PolicyState,
        runtimes: &[RuntimeFacts],
        now: &Now,
        link: Link,
    ) -> Self {
        if runtimes.is_empty() {
            Self::of_entitlements(standing, policy, now, link)
        } else {
            Self::of_runtimes(standing, policy, runtimes, now, link)
        }
    }

    pub(super) fn since(&self, before: &Self) -> Vec<AnswerChange> {
        let changed = self.0.iter().filter_map(|(subject, after)| {
            let after = (*after)?;
            let before = before.0.get(subject).copied().flatten();
            let change = AnswerChange { subject: subject.clone(), before, after };
            (before != Some(after)).then_some(change)
        });
        changed.collect()
    }

    fn of_entitlements(standing: &Standing, policy: &PolicyState, now: &Now, link: Link) -> Self {
        let mut answers = BTreeMap::new();
        let outlook = policy.outlook(now, link);
        for subject in entitlements(standing) {
            let Subject::Entitlement { tenant_id, product, feature, scope, released } = &subject
            else {
                continue;
            };
            let line =
                outlook.iter().find(|it| it.tenant_id == *tenant_id && *it.product == **product);
            let answer = match line.map(|line| &line.standing) {
                None => Err(Code::LicenseMissing),
                Some(Err(code)) => Err(*code),
                Some(Ok(license)) => {
                    let mut all = license.entitlements.iter();
                    match all.find(|it| *it.feature == **feature && it.scope == *scope) {
                        None => Err(Code::FeatureNotGranted),
                        Some(it) if *released => it.released.unwrap_or(it.verdict).answer,
                        Some(it) => it.verdict.answer,
                    }
                }
            };
            answers.insert(subject, Some(answer));
        }
        Self(answers)
    }

    fn of_runtimes(
        standing: &Standing,
        policy: &PolicyState,
        runtimes: &[RuntimeFacts],
        now: &Now,
        link: Link,
    ) -> Self {
        let answer = |subject: &Subject, runtime: &RuntimeFacts| match subject {
            Subject::Runtime { tenant_id, feature: Some(feature), .. } => {
                let question = Question { tenant_id: *tenant_id, runtime, feature, consume: None };
                match policy.resolve(&question, &Restraints::default(), now, link) {
                    Resolution::Granted(grant) => Ok(grant.mode),
                    Resolution::Refused(refused) => Err(refused.reason),
                }
            }
            Subject::Runtime { tenant_id, .. } | Subject::Entitlement { tenant_id, .. } => policy
                .may_register_released(*tenant_id, runtime.runtime_type, runtime.released_on, now)
                .map(|()| match link {
                    Link::Online => Mode::Online,
                    Link::Offline | Link::Detached => Mode::Offline,
                }),
        };
        let asked = askers(standing, runtimes).into_iter().map(|(subject, runtime)| {
            let answer = answer(&subject, runtime);
            (subject, Some(answer))
        });
        Self(asked.collect())
    }
}

/// Every entitlement of every license that stands.
fn entitlements(standing: &Standing) -> BTreeSet<Subject> {
    let mut subjects = BTreeSet::new();
    for license in standing.licenses() {
        for entitlement in &license.entitlements {
            let subject = |released| Subject::Entitlement {
                tenant_id: license.tenant.tenant_id,
                product: license.product.clone(),
                feature: entitlement.feature.clone(),
                scope: Scope::of(entitlement),
                released,
            };
            subjects.insert(subject(false));
            if license.released_before.is_some() {
                subjects.insert(subject(true));
            }
        }
    }
    subjects
}

/// Every runtime with every feature that its organization's licenses name.
fn askers<'a>(
    standing: &Standing,
    runtimes: &'a [RuntimeFacts],
) -> Vec<(Subject, &'a RuntimeFacts)> {
    let mut named: BTreeMap<TenantId, BTreeSet<&str>> = BTreeMap::new();
    for license in standing.licenses() {
        let features = license.entitlements.iter().map(|it| it.feature.as_str());
        named.entry(license.tenant.tenant_id).or_default().extend(features);
    }
    let mut askers = Vec::new();
    for (tenant_id, features) in named {
        for runtime in runtimes {
            let subject = |feature: Option<&str>| Subject::Runtime {
                tenant_id,
                kind: runtime.runtime_type,
                version: runtime.version.clone(),
                runtime_id: runtime.runtime_id,
                feature: feature.map(str::to_owned),
            };
            askers.push((subject(None), runtime));
            askers.extend(features.iter().map(|feature| (subject(Some(feature)), runtime)));
        }
    }
    askers
}

/// The subject as people read it: `courses.publish for labs`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entitlement { feature, scope, released, .. } => {
                write!(f, "{feature} for {scope}")?;
                if *released { f.write_str(", released early enough") } else { Ok(()) }
            }
            Self::Runtime { kind, version, feature: Some(feature), .. } => {
                write!(f, "{feature} asked by {kind} {version}")
            }
            Self::Runtime { kind, version, feature: None, .. } => {
                write!(f, "registering {kind} {version}")
            }
        }
    }
}
