//! Answer: what a site's request asks for, and the license that answers it.

mod parcel;
mod release;
mod warnings;

use farhold_bundle::{
    TrustRoot, Verified,
    payload::{License, Request},
};
use farhold_contract::{Code, Timestamp, id::LicenseId};
use farhold_ledger::{Bound, Contract, DeviceKey, Issue, Ledger, Move};

use crate::{
    issue::{require_budget, same_in_line},
    refusal::Refusal,
    template::{BindTo, Mold},
};

pub use parcel::{Packed, Parcel};
pub use release::{given_up_by_another_key, release_of};
pub use warnings::warnings;

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

/// What it is to issue a contract for the machine that asks; refused beyond the budget of the year
/// before `today`, by the system clock.
///
/// # Errors
/// `ledger.rehosts_used_up`.
pub fn require_move(
    contract: Option<&Contract>,
    request: &Request,
    rehosts_per_year: Option<farhold_bundle::Whole>,
    is_over_budget: bool,
    today: Timestamp,
) -> Result<Move, Refusal> {
    let Some(contract) = contract else { return Ok(Move::First) };
    let step = contract.move_to(&request.device_key, &request.fingerprint);
    if step == Move::Rehost && !is_over_budget {
        require_budget(contract, rehosts_per_year, today)?;
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

/// The contract that an interrupted run has entered for this very answer, whose output was lost.
///
/// One that the site holds, gives up or gave up has arrived: the same words then ask for another.
///
/// # Errors
/// `payload.malformed`.
pub fn interrupted_contract(
    ledger: &Ledger,
    mold: &Mold,
    request: &Request,
) -> Result<Option<LicenseId>, Refusal> {
    let is_asking = |agent: &DeviceKey| agent.is(&request.device_key);
    same_in_line(ledger, mold, |contract| {
        let id = contract.license_id;
        let is_held = request.licenses.iter().any(|held| held.license_id == id);
        let was_given_up = contract.releases.iter().any(|(_, it)| is_asking(&it.device_key));
        let is_of_another = matches!(
            &contract.newest.bound,
            Some(Bound::Fingerprint { device_key: Some(agent), .. }) if !is_asking(agent)
        );
        !is_held && request.release != Some(id) && !was_given_up && !is_of_another
    })
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
