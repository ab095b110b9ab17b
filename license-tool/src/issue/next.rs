//! Next: which serial a license gets, or which one it has already.

use jiff::ToSpan;

use farhold_bundle::{Draft, LineKey, PayloadError, Positive, TrustRoot, Whole, payload::License};
use farhold_contract::{Code, Timestamp, id::LicenseId};
use farhold_ledger::{Contract, Ledger};

use super::{Signing, signing};
use crate::{
    refusal::Refusal,
    template::{Mold, Stamp},
};

/// What the ledger makes of a license that is to be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It gets a serial, and an entry.
    New(Stamp),
    /// Its newest serial says exactly this already: what was interrupted is finished by it.
    Known(Stamp),
}

impl Next {
    /// What the license is stamped with.
    pub const fn stamp(&self) -> Stamp {
        match self {
            Self::New(stamp) | Self::Known(stamp) => *stamp,
        }
    }
}

/// The next serial of a contract, or the one that says the same and stands.
///
/// What a revoked key signed stands nowhere: it gets the next serial like anything that is new.
///
/// # Errors
/// `ledger.conflict` where the line has no serial left; `payload.malformed`.
pub fn next(
    ledger: &Ledger,
    root: &TrustRoot,
    mold: &Mold,
    license_id: LicenseId,
    serial: Option<Positive>,
    now: Timestamp,
) -> Result<Next, Refusal> {
    if let Some(contract) = ledger.contract(license_id)
        && serial.map_or(stands(contract, root), |serial| serial == contract.newest.serial)
        && says(contract, &mold.cast(newest_stamp(contract)))?
    {
        return Ok(Next::Known(newest_stamp(contract)));
    }
    let serial = match serial {
        Some(serial) => serial,
        None => next_serial(ledger, mold)?,
    };
    Ok(Next::New(Stamp { license_id, serial, issued_at: now }))
}

/// The contract of the mold's line whose newest serial says the same, whatever its id, among those
/// that `may_be` it.
///
/// # Errors
/// `payload.malformed`.
pub fn same_in_line(
    ledger: &Ledger,
    mold: &Mold,
    may_be: impl Fn(&Contract) -> bool,
) -> Result<Option<LicenseId>, Refusal> {
    let line = LineKey::of(mold.content());
    for contract in ledger.contracts_of(&line).filter(|contract| may_be(contract)) {
        if says(contract, &mold.cast(newest_stamp(contract)))? {
            return Ok(Some(contract.license_id));
        }
    }
    Ok(None)
}

/// Whether a contract's newest serial holds where it was imported.
fn stands(contract: &Contract, root: &TrustRoot) -> bool {
    let keys = contract.newest.keys.iter().copied().collect();
    signing(&keys, root) != Signing::Fallen
}

/// The stamp of a contract's newest serial.
pub const fn newest_stamp(contract: &Contract) -> Stamp {
    let newest = &contract.newest;
    Stamp { license_id: newest.license_id, serial: newest.serial, issued_at: newest.issued_at }
}

/// Whether a contract's newest serial is this very license.
///
/// # Errors
/// `payload.malformed`.
pub fn says(contract: &Contract, license: &License) -> Result<bool, PayloadError> {
    // Its hash is that of one payload alone: nothing else need be compared.
    Ok(Draft::danger_unread(license)?.sha256() == contract.newest.sha256)
}

/// Refuses one more move of a license within the year before `today` than its template allows.
/// `today` is the system clock's, as the entries' times are: no `--at` gives a move another year.
///
/// # Errors
/// `ledger.rehosts_used_up`.
pub fn require_budget(
    contract: &Contract,
    rehosts_per_year: Option<Whole>,
    today: Timestamp,
) -> Result<(), Refusal> {
    let Some(budget) = rehosts_per_year.or(contract.rehosts_per_year()) else { return Ok(()) };
    let since = a_year_before(today);
    let moved = contract.rehosts_since(since) as u64;
    if moved < budget.as_u64() {
        return Ok(());
    }
    let what = format!(
        "license {} was moved to another machine {moved} times since {since}; {budget} a year are \
         allowed",
        contract.license_id
    );
    Err(Refusal::new(Code::LedgerBudget, what)
        .with_next("Talk to the customer; --over-budget REASON moves it all the same."))
}

/// The same day and time a year before, in UTC.
pub fn a_year_before(now: Timestamp) -> Timestamp {
    let now = jiff::Timestamp::from(now).to_zoned(jiff::tz::TimeZone::UTC);
    now.checked_sub(1.year()).map_or(Timestamp::MIN, |before| before.timestamp().into())
}

fn next_serial(ledger: &Ledger, mold: &Mold) -> Result<Positive, Refusal> {
    ledger.next_serial(&LineKey::of(mold.content())).ok_or_else(|| {
        Refusal::new(Code::LedgerConflict, "the line of this license has no serial left")
            .with_next("Revoke the serial that used them up; see the guide on theft.")
    })
}
