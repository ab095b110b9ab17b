//! Warnings: what the vendor should know of a request beside what it says.

use std::collections::BTreeSet;

use farhold_bundle::{
    Envelope, Positive, TrustRoot,
    payload::{DocumentType, LicenseRef, Request, Root},
};
use farhold_contract::Timestamp;
use farhold_ledger::{Bound, Ledger};

use crate::dated::FAR;

/// Of more licenses alike a person reads none: the rest is counted, and told to programs one by one.
const TOLD_MAX: usize = 16;

/// What the vendor should know of a request beside what it says, where `with` goes along with the
/// answer.
pub fn warnings(
    request: &Request,
    root: &TrustRoot,
    with: &[Envelope],
    ledger: Option<&Ledger>,
    now: Timestamp,
) -> Vec<String> {
    let mut warnings = Vec::new();
    match &request.root {
        None => {
            warnings.push("the site has no trust root yet: send it, and its hash apart".to_owned())
        }
        Some(theirs) => {
            let brought = roots_in(with);
            let mut needed = theirs.version.as_u64() + 1..=root.version();
            if needed.any(|version| !brought.contains(&version)) {
                warnings.push(format!(
                    "the site stands at root {}: it needs the roots after it too (--with)",
                    theirs.version
                ));
            }
        }
    }
    for (name, at) in [("system clock", request.wall), ("own time", request.mark)] {
        let off = at.saturating_since(now).max(now.saturating_since(at));
        if off > FAR {
            warnings.push(format!(
                "the site's {name} was at {at}, {} days from here: see clock-reset",
                off.as_secs() / (24 * 60 * 60)
            ));
        }
    }
    warnings.extend(remembered(request));
    warnings.extend(ledger.into_iter().flat_map(|ledger| unknown(request, ledger)));
    if let Some(serial) = ledger.and_then(|ledger| beyond_release(request, ledger)) {
        warnings.push(format!(
            "serial {serial} was issued too, and the site has not given it up: it would serve there \
             again. Have it imported and given up, or revoke the serials below the next one"
        ));
    }
    warnings
}

/// Licenses that the site holds and nobody entered.
fn unknown(request: &Request, ledger: &Ledger) -> Vec<String> {
    let is_unknown = |held: &&LicenseRef| !ledger.has(held.license_id, held.serial, held.sha256);
    let unknown: Vec<&LicenseRef> = request.licenses.iter().filter(is_unknown).collect();
    let told = unknown.iter().take(TOLD_MAX).map(|held| {
        format!(
            "the site holds license {} serial {}, which is not in the ledger: enter its slip, or \
             treat the license key as stolen",
            held.license_id, held.serial
        )
    });
    let rest = unknown.len().saturating_sub(TOLD_MAX);
    let rest = (rest > 0).then(|| {
        format!("the site holds {rest} more licenses that are not in the ledger; --json names each")
    });
    told.chain(rest).collect()
}

/// What the site did not read of its machine, and names all the same: it is known to the site's
/// state, wherever that lies.
fn remembered(request: &Request) -> Option<String> {
    if request.remembered.is_empty() {
        return None;
    }
    let each = request.remembered.iter().map(|(name, since)| format!("{name} (since {since})"));
    let each: Vec<String> = each.collect();
    Some(format!(
        "{} of the {} components are remembered, not read: {}. A copy of the site's state on another \
         machine says the same: ask the site to let the agent read them",
        each.len(),
        request.fingerprint.len(),
        each.join(", ")
    ))
}

/// The serial that could still serve at a site that gave the license up, if one was issued.
fn beyond_release(request: &Request, ledger: &Ledger) -> Option<Positive> {
    let license_id = request.release?;
    let held = request.licenses.iter().find(|held| held.license_id == license_id)?;
    let newest = &ledger.contract(license_id)?.newest;
    let elsewhere = match &newest.bound {
        Some(Bound::Device(key)) => !key.is(&request.device_key),
        _ => false,
    };
    (newest.serial > held.serial && !elsewhere).then_some(newest.serial)
}

/// The roots among the documents, by their number; [`Parcel`] has proven them.
fn roots_in(documents: &[Envelope]) -> BTreeSet<u64> {
    let roots = documents.iter().filter(|document| document.kind() == DocumentType::Root);
    let read = |root: &Envelope| serde_json::from_slice(root.danger_unverified_payload()).ok();
    roots.filter_map(read).map(|root: Root| root.version.as_u64()).collect()
}
