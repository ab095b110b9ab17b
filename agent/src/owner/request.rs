//! Making a request: signed by the device key, its nonce open before anybody has it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use farhold_api::Refusal;
use farhold_audit::OwnKind;
use farhold_bundle::{
    LIMITS, Positive, SiteFacts, Whole,
    payload::{LicenseRef, Request, RootRef, UsageReport},
    seal,
};
use farhold_contract::{
    Code,
    id::{LicenseId, TenantId},
};
use farhold_store::StoreError;

use crate::{
    importer::refusal, own_event::Draft, random, report, site::Place, snapshot::Documents,
};

use super::{group::Group, work::Operation};

/// Makes the one open request of the site; the one before it is answered no more.
pub struct MakeRequest {
    /// The site.
    pub place: Arc<Place>,
    /// A license to give up with it, so that it can be bound to another machine.
    pub release: Option<LicenseId>,
}

/// A request as it was made.
pub struct RequestMade {
    /// What it says.
    pub request: Request,
    /// Its line, without a line feed.
    pub line: Vec<u8>,
    /// What was given up with it: the license and the last serial that was.
    pub released: Option<(LicenseId, Positive)>,
}

impl Operation for MakeRequest {
    type Answer = Result<RequestMade, Refusal>;

    fn apply(self, group: &mut Group<'_>) -> Result<Self::Answer, StoreError> {
        let Self { place, release } = self;
        let Some(tenant_id) = place.own_tenant() else {
            let detail = "the site has no organization yet that could ask for something";
            return Ok(Err(Refusal::new(Code::TenantMissing, detail)));
        };
        let mut facts = SiteFacts::clone(group.facts());
        facts.open_nonce = Some(hex::encode(random::salt()));
        let mut newly = None;
        let released = match release.map(|license_id| (license_id, last_serial(group, license_id)))
        {
            None => None,
            Some((license_id, None)) => {
                let detail = format!("license {license_id} is not stored at this site");
                return Ok(Err(Refusal::new(Code::LicenseMissing, detail)));
            }
            Some((license_id, Some(serial))) => {
                if facts.released.insert(license_id, serial) != Some(serial) {
                    newly = Some((license_id, serial));
                }
                Some((license_id, serial))
            }
        };
        let documents = group.documents_under(&facts);
        // Nothing is staged before it is signed: what can't be asked for changes nothing.
        let request = content(group, &place, tenant_id, &facts, &documents, released);
        let line = match seal(&request, &place.device) {
            Ok(line) => line,
            Err(error) => return Ok(Err(refusal(error.code(), &error))),
        };
        group.put_facts(facts, documents)?;
        if let Some((license_id, serial)) = newly {
            let payload = json!({"license_id": license_id, "serial": serial});
            let owner = licensee(group, license_id).unwrap_or(tenant_id);
            group.append_own(owner, Draft::new(OwnKind::LicenseReleased, payload))?;
        }
        Ok(Ok(RequestMade { request, line, released }))
    }
}

/// The highest serial of a license that stands here, or was given up here.
fn last_serial(group: &Group<'_>, license_id: LicenseId) -> Option<Positive> {
    let standing = group.documents().standing.licenses().iter();
    let here = standing.filter(|license| license.license_id == license_id);
    let given_up = group.facts().released.get(&license_id).copied();
    here.map(|license| license.serial).chain(given_up).max()
}

fn licensee(group: &Group<'_>, license_id: LicenseId) -> Option<TenantId> {
    let mut standing = group.documents().standing.licenses().iter();
    standing
        .find(|license| license.license_id == license_id)
        .map(|license| license.tenant.tenant_id)
}

/// What the site says of itself (`bundle.md` §7.1): the licenses in force after a release and the one
/// given up, and what was used of them before it.
fn content(
    group: &Group<'_>,
    place: &Place,
    tenant_id: TenantId,
    facts: &SiteFacts,
    documents: &Documents,
    released: Option<(LicenseId, Positive)>,
) -> Request {
    let root = documents.standing.root().map(|root| root.root());
    let mut licenses = BTreeMap::new();
    for (license_id, serial, sha256) in report::in_force(documents, &group.now) {
        // By rising serial: the highest stays.
        licenses.insert(license_id, LicenseRef { license_id, serial, sha256 });
    }
    // With its serial, so that the vendor sees what was issued beyond it.
    let given_up = documents
        .standing
        .licenses()
        .iter()
        .find(|license| released == Some((license.license_id, license.serial)));
    if let Some(license) = given_up {
        let (license_id, serial) = (license.license_id, license.serial);
        licenses.insert(license_id, LicenseRef { license_id, serial, sha256: license.sha256() });
    }
    Request {
        device_key: place.facts.device_key.clone(),
        fingerprint: facts.fingerprint.clone(),
        salt: group.machine().memory.salt.to_string(),
        tenant_id,
        nonce: facts.open_nonce.clone().unwrap_or_default(),
        root: root.map(|root| RootRef { version: root.version, sha256: root.sha256() }),
        licenses: bounded(licenses, released.map(|(license_id, _)| license_id)),
        usage: usage(group),
        wall: group.now.wall,
        mark: group.now.mark,
        release: released.map(|(license_id, _)| license_id),
        remembered: group.machine().remembered(),
    }
}

/// As many licenses as a request may name (`bundle.md` §7.1), by their ids; the one that is given up
/// is always among them.
fn bounded(
    mut licenses: BTreeMap<LicenseId, LicenseRef>,
    given_up: Option<LicenseId>,
) -> Vec<LicenseRef> {
    while licenses.len() > LIMITS.request_licenses {
        let last = licenses.keys().rev().find(|license_id| Some(**license_id) != given_up);
        let Some(last) = last.copied() else { break };
        licenses.remove(&last);
    }
    licenses.into_values().collect()
}

/// What has been used of each quota in force, as much of it as a request may say; what is not named was not used.
fn usage(group: &Group<'_>) -> Vec<UsageReport> {
    let mut used = BTreeMap::new();
    for quota in group.documents().policy.quotas(&group.now) {
        let key = quota.metered.key.to_key_text();
        let units = quota.metered.open(group.txn.counter(&key)).used;
        if units > 0 {
            used.insert((quota.license_id, quota.feature.to_string()), units);
        }
    }
    used.into_iter()
        .take(LIMITS.request_usage)
        .map(|((license_id, feature), units)| {
            let used = Whole::new(units).unwrap_or(Whole::MAX);
            UsageReport { license_id, feature, used }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_as_many_licenses_as_it_may_and_the_one_given_up() {
        let license_id = |number: usize| -> LicenseId {
            format!("01939b6e-3c5f-7a31-8b53-0f6f{number:08x}").parse().unwrap()
        };
        let license = |number| {
            let (serial, sha256) = (Positive::MIN, farhold_contract::Sha256Digest::new([0; 32]));
            (license_id(number), LicenseRef { license_id: license_id(number), serial, sha256 })
        };
        let licenses: BTreeMap<_, _> = (0..LIMITS.request_licenses + 7).map(license).collect();
        let last = license_id(LIMITS.request_licenses + 6);
        let named = bounded(licenses.clone(), Some(last));
        assert_eq!(named.len(), LIMITS.request_licenses);
        assert_eq!(named.last().map(|license| license.license_id), Some(last));
        assert_eq!(named[0].license_id, license_id(0));
        let few: BTreeMap<_, _> = licenses.into_iter().take(3).collect();
        assert_eq!(bounded(few, None).len(), 3);
    }
}
