//! Strands: whose license a bundle would take out of force, with nothing in its place.

use std::collections::BTreeSet;

use serde::Serialize;

use farhold_bundle::{
    Envelope, ImportPlan, LineKey, Positive, Standing, TrustRoot, Whole,
    payload::{DocumentType, License},
};
use farhold_contract::{Code, Timestamp, id::TenantId};

use crate::{
    issued::{Customer, Issued, IssuedLicense, in_force},
    refusal::Refusal,
};

/// A license in force today that would not be once the bundle is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stranded {
    /// Whose license it is.
    pub customer: Customer,
    /// What takes it out of force.
    pub by: Cause,
}

/// What takes a license out of force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its key is revoked, and no newer serial by a current key was issued.
    KeyRevoked,
    /// Its key is revoked, and the newer serial that was issued is not in the bundle.
    ReplacementLeftOut,
    /// The revocations name it.
    Revoked,
}

/// Whose licenses fall with a bundle, of all that were issued.
///
/// A key that a root revokes takes every customer's license along, and roots reach all sites: each
/// needs a newer one. For the organizations that the bundle has licenses for, and for all where it
/// has none, that must be in the bundle; for others, issued. What revocations take away is named
/// for the former alone: who is revoked was decided when they were signed.
pub fn stranded(
    before: &TrustRoot,
    plan: &ImportPlan,
    issued: &Issued,
    now: Timestamp,
) -> Vec<Stranded> {
    let after = &plan.standing;
    let roots = after.roots();
    let Some(current) = after.root() else { return Vec::new() };
    let brought: BTreeSet<TenantId> =
        after.licenses().iter().map(|license| license.tenant.tenant_id).collect();
    let list = after.revocations();
    let known = issued.revocations(list.map(|list| list.generation), &current.root().revoked_keys);
    let revoked_before = |license: &License| known.is_some_and(|known| known.revokes(license));

    let mut stranded = Vec::new();
    for (line, licenses) in issued.lines() {
        let standing: Vec<IssuedLicense> = licenses
            .iter()
            .filter(|issued| issued.stands_under(std::slice::from_ref(before)))
            // What a key of the coming root signed can't be at a site yet.
            .filter(|issued| issued.is_current_under(before) || !issued.is_current_under(current))
            .cloned()
            .collect();
        let Some(today) = in_force(&standing, |license| !revoked_before(license), now) else {
            continue;
        };
        let named = brought.is_empty() || brought.contains(&line.tenant_id);
        // One serial may be out by several keys; nobody knows whose file the site took.
        let falls = standing
            .iter()
            .filter(|issued| issued.license.serial == today.license.serial)
            .any(|issued| !issued.stands_under(roots));
        let cause = if falls {
            let replaces = |other: &IssuedLicense| {
                other.license.serial >= today.license.serial
                    && other.is_current_under(current)
                    && !after.revokes(&other.license)
                    && other.serves(now)
            };
            if brought_replacement(after, line, today.license.serial, now) {
                None
            } else if !licenses.iter().any(replaces) {
                Some(Cause::KeyRevoked)
            } else {
                named.then_some(Cause::ReplacementLeftOut)
            }
        } else if named && after.revokes(&today.license) {
            let replaced = brought_replacement(after, line, today.license.serial, now);
            (!replaced).then_some(Cause::Revoked)
        } else {
            None
        };
        stranded.extend(cause.map(|by| Stranded { customer: today.customer(), by }));
    }
    stranded
}

/// Refuses a license that a site would refuse for what the bundle leaves out.
///
/// `revocations` is the generation that the site is known to stand at already.
///
/// # Errors
/// `bundle.incomplete`.
pub fn require_needs(standing: &Standing, revocations: Whole) -> Result<(), Refusal> {
    let root = standing.root().map_or(0, TrustRoot::version);
    let generation = standing.revocations().map_or(0, |list| list.generation.as_u64());
    let generation = generation.max(revocations.as_u64());
    for license in standing.licenses() {
        let needs = license.needs;
        for (what, has, least, next) in [
            ("root", root, needs.root.as_u64(), "Put the roots up to it into the bundle."),
            (
                "revocations generation",
                generation,
                needs.revocations.as_u64(),
                "Put the revocations into the bundle, or say with --site-revocations what the \
                 site stands at.",
            ),
        ] {
            if has < least {
                let what = format!(
                    "license {} serial {} needs {what} {least}; with this bundle a site may stand at {has}",
                    license.license_id, license.serial
                );
                return Err(Refusal::new(Code::BundleIncomplete, what).with_next(next));
            }
        }
    }
    Ok(())
}

/// Whether any of the documents could take a license out of force.
pub fn may_strand(documents: &[Envelope]) -> bool {
    documents
        .iter()
        .any(|document| matches!(document.kind(), DocumentType::Root | DocumentType::Revocations))
}

fn brought_replacement(after: &Standing, line: &LineKey, serial: Positive, now: Timestamp) -> bool {
    after.licenses().iter().any(|license| {
        license.is_of(line)
            && license.serial >= serial
            && license.not_before <= now
            && !after.revokes(license)
            && license.stop().is_none_or(|stop| now < stop)
    })
}
