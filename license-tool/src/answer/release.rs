//! Release: a license that a machine gives up, where it is that machine's to give.

use farhold_bundle::{Verified, payload::Request};
use farhold_contract::Code;
use farhold_ledger::{Bound, Contract, DeviceKey, Ledger, Release};

use crate::refusal::Refusal;

/// What the ledger is to keep of a license that a machine gives up; nothing where the request gives
/// up none, or the ledger has it already.
///
/// Anyone can make a request that names a license. It counts from a machine that the license was
/// issued for, or for a license that any machine may hold (`specs/ledger.md` §5.6).
///
/// # Errors
/// `ledger.conflict` for a license or a serial that the ledger does not have;
/// `license.binding_mismatch` for one of another machine.
pub fn release_of(
    request: &Verified<Request>,
    ledger: &Ledger,
) -> Result<Option<Release>, Refusal> {
    let Some(license_id) = request.release else { return Ok(None) };
    let Some(contract) = ledger.contract(license_id) else {
        let what = format!("the ledger has no license {license_id}, which this request gives up");
        return Err(Refusal::new(Code::LedgerConflict, what)
            .with_next("Enter it first (license-tool ledger enter), if it is one of yours."));
    };
    if !contract.is_held_by(&request.device_key, &request.fingerprint) {
        let what = format!(
            "license {license_id} was issued for another machine than the one that gives it up: \
             nothing was noted"
        );
        return Err(Refusal::new(Code::LicenseBinding, what).with_next(
            "Compare the device key with the site; the machine that has the license gives it up: \
             farhold request --release there.",
        ));
    }
    let held = request.licenses.iter().find(|held| held.license_id == license_id);
    if let Some(held) = held
        && !ledger.has(license_id, held.serial, held.sha256)
    {
        let what = format!(
            "this request gives up license {license_id} serial {}, which is not in the ledger",
            held.serial
        );
        return Err(Refusal::new(Code::LedgerConflict, what)
            .with_next("Enter its slip first, or treat the license key as stolen."));
    }
    let release = Release {
        license_id,
        serial: held.map(|held| held.serial),
        device_key: DeviceKey::from(&request.device_key),
        request: request.sha256(),
    };
    Ok((!is_known(contract, &release)).then_some(release))
}

/// Whether the ledger has a release already: by the same request, or of the same serial by the same
/// agent, which gives it up once however often it says so.
fn is_known(contract: &Contract, release: &Release) -> bool {
    contract.releases.iter().any(|(_, known)| {
        let of_one_serial = known.serial.is_some() && known.serial == release.serial;
        known == release || (of_one_serial && known.device_key == release.device_key)
    })
}

/// What should be known of a release by an agent that the license was never issued for: its
/// components say that it is the machine, and whoever has the license's file can say them.
pub fn given_up_by_another_key(request: &Request, ledger: &Ledger) -> Option<String> {
    let contract = ledger.contract(request.release?)?;
    let Some(Bound::Fingerprint { device_key: Some(known), .. }) = &contract.newest.bound else {
        return None;
    };
    let is_known = |agent: &DeviceKey| agent.is(&request.device_key);
    if is_known(known)
        || contract.revisions.iter().any(|it| it.device_key.is_some_and(|it| is_known(&it)))
    {
        return None;
    }
    Some(format!(
        "license {} is given up by another agent than the one it was answered for, on a machine with \
         the same components: compare the device key with the site",
        contract.license_id
    ))
}
