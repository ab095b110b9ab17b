//! Policy state: the documents that stand, ready to answer.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use farhold_bundle::{
    Verified,
    payload::{License, Revocations},
};
use farhold_contract::{Code, Timestamp, id::TenantId};

use crate::{
    clock::Now,
    decision::{Refused, Resolution},
    line::{Denied, Held, Line},
    question::{Asker, Link, Question, Restraints},
    standing_license::StandingLicense,
};

/// The documents that stand at a site, indexed; it never changes.
///
/// A decision looks features up, so it costs the same for ten entitlements and ten thousand.
#[derive(Debug, Default)]
pub struct PolicyState {
    /// Each tenant's lines, in the order of their products.
    pub(crate) tenants: BTreeMap<TenantId, Vec<Line>>,
}

impl PolicyState {
    /// Makes the state of every license that stands, waiting and revoked ones included, and the
    /// revocations in force.
    pub fn new<'a>(
        licenses: impl IntoIterator<Item = &'a Verified<License>>,
        revocations: Option<&Verified<Revocations>>,
    ) -> Self {
        Self::with_barred(licenses, [], revocations)
    }

    /// The same with licenses that stand but that the site does not admit, each with the reason
    /// (`bundle.md` §4.2: mode, binding, tenant).
    ///
    /// They are never in force and hide no other serial. Where nothing else of their line is in
    /// force, a refusal gives their reason and names them.
    pub fn with_barred<'a>(
        licenses: impl IntoIterator<Item = &'a Verified<License>>,
        barred: impl IntoIterator<Item = (&'a Verified<License>, Code)>,
        revocations: Option<&Verified<Revocations>>,
    ) -> Self {
        let mut lines: BTreeMap<(TenantId, Arc<str>), Vec<StandingLicense>> = BTreeMap::new();
        let admitted = licenses.into_iter().map(|document| (document, None));
        let barred = barred.into_iter().map(|(document, code)| (document, Some(code)));
        for (document, bar) in admitted.chain(barred) {
            let license = StandingLicense::new(document, bar, revocations.map(Verified::content));
            let key = (document.tenant.tenant_id, license.product.clone());
            lines.entry(key).or_default().push(license);
        }
        let mut tenants: BTreeMap<TenantId, Vec<Line>> = BTreeMap::new();
        for ((tenant_id, product), mut licenses) in lines {
            licenses.sort_by_key(|license| Reverse(license.serial));
            tenants.entry(tenant_id).or_default().push(Line { product, licenses });
        }
        Self { tenants }
    }

    /// What the documents and the Kernel's restraints say to a question; usage is weighed after.
    ///
    /// The first of the tenant's products that grants it answers; where none does, the refusal
    /// that tells most.
    pub fn resolve(
        &self,
        question: &Question<'_>,
        restraints: &Restraints,
        now: &Now,
        link: Link,
    ) -> Resolution {
        let asker = Asker::one(question.feature, question.runtime);
        let resolution = match self.weigh(question.tenant_id, &asker, now.instant, link) {
            Ok(held) => Resolution::Granted(held.grant(now.quota)),
            Err(denied) => Resolution::Refused(denied.refused()),
        };
        match restraints.against(question.feature) {
            Some(reason) => Resolution::Refused(resolution.restrained(reason)),
            None => resolution,
        }
    }

    pub(crate) fn lines_of(&self, tenant_id: TenantId) -> &[Line] {
        self.tenants.get(&tenant_id).map_or(&[], Vec::as_slice)
    }

    /// What the tenant's lines say to whoever asks: the first that grants it, or the refusal that
    /// tells most.
    #[inline]
    pub(crate) fn weigh(
        &self,
        tenant_id: TenantId,
        asker: &Asker<'_>,
        instant: Timestamp,
        link: Link,
    ) -> Result<Held<'_>, Denied<'_>> {
        let mut most_telling: Option<Denied<'_>> = None;
        for line in self.lines_of(tenant_id) {
            match line.weigh(asker, instant, link) {
                Ok(held) => return Ok(held),
                Err(denied) => {
                    if most_telling.is_none_or(|most| most.telling < denied.telling) {
                        most_telling = Some(denied);
                    }
                }
            }
        }
        Err(most_telling.unwrap_or(Denied::WITHOUT_LICENSE))
    }
}

impl Restraints {
    /// Why the Kernel took a feature away, if it did: the widest restraint first.
    fn against(&self, feature: &str) -> Option<Code> {
        if self.tenant_suspended || self.runtime_suspended {
            return Some(Code::RuntimeSuspended);
        }
        self.features_denied.contains(feature).then_some(Code::FeatureDenied)
    }
}

impl Resolution {
    /// The same, refused by the Kernel: the license still says whether that leaves an event.
    fn restrained(self, reason: Code) -> Refused {
        match self {
            Self::Refused(refused) => Refused { reason, ..refused },
            Self::Granted(grant) => Refused {
                product: Some(grant.product),
                license_id: Some(grant.license_id),
                serial: Some(grant.serial),
                records: grant.audit.denied,
                ..Refused::without_license(reason)
            },
        }
    }
}
