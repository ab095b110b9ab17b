//! Policy state: the documents that stand, ready to answer.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use farhold_bundle::{
    Verified,
    payload::{License, Revocations},
};
use farhold_contract::{Code, id::TenantId};

use crate::{
    clock::Now,
    decision::{Refused, Resolution},
    line::{Line, Telling},
    question::{Link, Question, Restraints},
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
        let mut lines: BTreeMap<(TenantId, Arc<str>), Vec<StandingLicense>> = BTreeMap::new();
        for document in licenses {
            let license = StandingLicense::new(document, revocations.map(Verified::content));
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
        let resolution = self.resolve_by_documents(question, now, link);
        match restraints.against(question.feature) {
            Some(reason) => Resolution::Refused(resolution.restrained(reason)),
            None => resolution,
        }
    }

    pub(crate) fn lines_of(&self, tenant_id: TenantId) -> &[Line] {
        self.tenants.get(&tenant_id).map_or(&[], Vec::as_slice)
    }

    fn resolve_by_documents(&self, question: &Question<'_>, now: &Now, link: Link) -> Resolution {
        let mut most_telling: Option<(Telling, Refused)> = None;
        for line in self.lines_of(question.tenant_id) {
            match line.resolve(question, now, link) {
                Ok(grant) => return Resolution::Granted(grant),
                Err(refusal) => {
                    if most_telling.as_ref().is_none_or(|(telling, _)| *telling < refusal.0) {
                        most_telling = Some(refusal);
                    }
                }
            }
        }
        // Contract v0.2: no verified document means no, with mode none.
        let none = || Refused::without_license(Code::LicenseMissing);
        Resolution::Refused(most_telling.map_or_else(none, |(_, refused)| refused))
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
