//! Answer: what a site's request asks for, and the license that answers it.

use std::{collections::BTreeSet, time::Duration};

use farhold_bundle::{
    Envelope, Positive, TrustRoot, Verified,
    payload::{DocumentType, License, Request, Root},
};
use farhold_contract::{Code, Timestamp, id::LicenseId};
use farhold_ledger::{Bound, Contract, DeviceKey, Issue, Ledger, Move, Release};

use crate::{
    issue::require_budget,
    refusal::Refusal,
    template::{BindTo, Mold},
};

/// The tolerance of every rule about clocks (`bundle.md` §5): what is farther is worth a word.
const FAR: Duration = Duration::from_secs(24 * 60 * 60);

/// Binds a license to the machine that asks.
///
/// # Errors
/// `tenant.mismatch` for the request of another organization; `usage.invalid` where the machine
/// shows too little to bind to.
pub fn bind(mold: &mut Mold, request: &Request, to: BindTo) -> Result<(), Refusal> {
    let license = mold.content_mut();
    if license.tenant.tenant_id != request.tenant_id {
        let what = format!(
            "the request is from tenant {}, and the license is for tenant {}",
            request.tenant_id, license.tenant.tenant_id
        );
        return Err(Refusal::new(Code::TenantMismatch, what)
            .with_next("Answer it with a license of that tenant."));
    }
    license.binding = Some(to.binding(request)?);
    Ok(())
}

/// What it is to issue a contract for the machine that asks; refused beyond the year's budget.
///
/// # Errors
/// `ledger.rehosts_used_up`.
pub fn require_move(
    contract: Option<&Contract>,
    request: &Request,
    rehosts_per_year: Option<farhold_bundle::Whole>,
    is_over_budget: bool,
    now: Timestamp,
) -> Result<Move, Refusal> {
    let Some(contract) = contract else { return Ok(Move::First) };
    let step = contract.move_to(&request.device_key, &request.fingerprint);
    if step == Move::Rehost && !is_over_budget {
        require_budget(contract, rehosts_per_year, now)?;
    }
    Ok(step)
}

/// What the ledger keeps of the license that answers a request.
pub fn issue_of(signed: &Verified<License>, request: &Request) -> Issue {
    let keys = signed.signers().iter().copied().collect();
    let mut issue = Issue::of(signed.content(), signed.sha256(), keys);
    if let Some(Bound::Fingerprint { device_key, .. }) = &mut issue.bound {
        *device_key = Some(DeviceKey::from(&request.device_key));
    }
    issue
}

/// What the ledger keeps of a license that a machine gives up.
pub fn release_of(request: &Verified<Request>) -> Option<Release> {
    let license_id = request.release?;
    let held = request.licenses.iter().find(|held| held.license_id == license_id);
    Some(Release {
        license_id,
        serial: held.map(|held| held.serial),
        device_key: DeviceKey::from(&request.device_key),
        request: request.sha256(),
    })
}

/// Whether the ledger knows of a release already.
pub fn knows_release(ledger: &Ledger, release: &Release) -> bool {
    ledger
        .contract(release.license_id)
        .is_some_and(|contract| contract.releases.iter().any(|(_, known)| known == release))
}

/// Refuses to answer a site that stands at another root: it would take nothing.
///
/// # Errors
/// `trust.conflict`, `usage.invalid` for a root older than the site's.
pub fn require_root(request: &Request, root: &TrustRoot) -> Result<(), Refusal> {
    let Some(theirs) = &request.root else { return Ok(()) };
    let (version, own) = (theirs.version.as_u64(), root.version());
    if version == own && theirs.sha256 != root.root().sha256() {
        let what =
            format!("the site stands at another root {version}: it takes nothing by this one");
        return Err(Refusal::new(Code::TrustConflict, what).with_next(
            "Find out whose root it installed; compare the hashes over another channel.",
        ));
    }
    if version > own {
        return Err(Refusal::usage(
            format!("the site stands at root {version}, which is newer than root {own}"),
            "Give the newest root as --root.",
        ));
    }
    Ok(())
}

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
    for held in ledger.map_or(&[][..], |_| &request.licenses) {
        let known =
            ledger.is_some_and(|ledger| ledger.has(held.license_id, held.serial, held.sha256));
        if !known {
            warnings.push(format!(
                "the site holds license {} serial {}, which is not in the ledger: enter its slip, or \
                 treat the license key as stolen",
                held.license_id, held.serial
            ));
        }
    }
    if let Some(serial) = ledger.and_then(|ledger| beyond_release(request, ledger)) {
        warnings.push(format!(
            "serial {serial} was issued too, and the site has not given it up: it would serve there \
             again. Have it imported and given up, or revoke the serials below the next one"
        ));
    }
    warnings
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

/// The roots among the documents, by their number as they claim it: the site verifies them.
fn roots_in(documents: &[Envelope]) -> BTreeSet<u64> {
    let roots = documents.iter().filter(|document| document.kind() == DocumentType::Root);
    let read = |root: &Envelope| serde_json::from_slice(root.danger_unverified_payload()).ok();
    roots.filter_map(read).map(|root: Root| root.version.as_u64()).collect()
}

/// The only contract of the mold's line, or the one that is bound to the machine that asks.
///
/// # Errors
/// `template.invalid` where there are several and none is this machine's.
pub fn contract_for(
    ledger: &Ledger,
    mold: &Mold,
    request: &Request,
) -> Result<Option<LicenseId>, Refusal> {
    let line = farhold_bundle::LineKey::of(mold.content());
    let contracts: Vec<&Contract> = ledger.contracts_of(&line).collect();
    let own = contracts
        .iter()
        .find(|contract| contract.move_to(&request.device_key, &request.fingerprint) == Move::Same);
    match (own, &contracts[..]) {
        (Some(own), _) => Ok(Some(own.license_id)),
        (None, []) => Ok(None),
        (None, [only]) => Ok(Some(only.license_id)),
        (None, several) => Err(Refusal::new(
            Code::TemplateInvalid,
            format!("the ledger has {} licenses of this tenant and product", several.len()),
        )
        .with_next("Write the license_id of the one to be answered with into the template.")),
    }
}
