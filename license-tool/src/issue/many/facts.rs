//! Facts: what a row is about, once its license has been held to every rule.

use farhold_bundle::{
    Draft, LineKey, PayloadError, Positive,
    payload::{License, Payload},
};
use farhold_contract::id::{LicenseId, TenantId};
use farhold_ledger::{Bound, Contract, Move};

use super::{
    batch::{Batch, Desk},
    caster::Caster,
    length,
    mistake::RowMistake,
    table::Row,
};
use crate::{
    issue::{Signing, newest_stamp, nonsense, require_budget, says, signing, warnings},
    template::Stamp,
};

/// What a row is about.
#[derive(Debug)]
pub(super) struct RowFacts {
    pub(super) line: u64,
    pub(super) tenant_id: TenantId,
    /// The product, where it is not the template's.
    pub(super) product: Option<Box<str>>,
    pub(super) contract: RowContract,
    /// Whether the row or the template says which contract.
    pub(super) is_named: bool,
}

/// Which contract a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowContract {
    /// One whose newest serial says exactly this, and how its signatures stand.
    Known(Stamp, Signing),
    /// One whose newest serial says exactly this and is to be signed anew, as the next.
    Again(LicenseId, Signing),
    /// This one, which gets a serial.
    Named(LicenseId),
    /// The only one of its organization and product.
    Only(LicenseId),
    /// None yet: a new one with this id.
    New(LicenseId),
    /// One of several.
    Unclear,
}

impl Batch {
    /// Holds a row's license to every rule, and looks it up in the ledger; and says what the vendor
    /// should know of it.
    pub(super) fn check_row(
        &self,
        row: &Row,
        caster: &mut Caster<'_>,
        desk: &Desk<'_>,
        reads_back: bool,
    ) -> Result<(RowFacts, Vec<String>), RowMistake> {
        let line = row.line;
        let named = self.columns.license_id(row)?.or(self.template_id);
        let stamp = Stamp {
            license_id: named.unwrap_or(self.mold.content().license_id),
            serial: Positive::MIN,
            issued_at: desk.now,
        };
        let license = caster.cast_row(row, stamp)?;
        let invalid = |error: PayloadError| match error {
            PayloadError::Invalid { member, why } => self.mistake(line, member, why),
            other => RowMistake::of_row(line, other.to_string()),
        };
        license.check().map_err(invalid)?;
        if reads_back {
            Draft::of(license).map_err(invalid)?;
        }
        if let Some((member, why)) = nonsense(license, desk.root) {
            return Err(self.mistake(line, member, &why));
        }
        self.require_length(row, license, desk.keys)?;
        let said = warnings(license);
        let (tenant_id, key) = (license.tenant.tenant_id, LineKey::of(license));
        let bound = license.binding.as_ref().map(Bound::of);
        let contract = self.contract(row, caster, desk, named, &key)?;
        self.require_budget(row, desk, contract, bound.as_ref())?;
        // Its content has told which contract it is; a repeated run is told by it as well.
        let is_named = named.is_some() || matches!(contract, RowContract::Again(..));
        let product = (key.product != self.product()).then(|| key.product.as_str().into());
        Ok((RowFacts { line, tenant_id, product, contract, is_named }, said))
    }

    /// Refuses a license that no site could read (`bundle.md` §1.1).
    fn require_length(&self, row: &Row, license: &License, keys: usize) -> Result<(), RowMistake> {
        let Some(excess) = length::excess(license, keys) else { return Ok(()) };
        let why = |who| format!("{who} {excess} bytes too long: no site could read it");
        Err(match self.columns.longest(row) {
            Some((column, bytes)) if bytes >= excess => {
                RowMistake::of_cell(row.line, column, why("makes the license"))
            }
            _ => RowMistake::of_row(row.line, why("is a license")),
        })
    }

    fn mistake(&self, line: u64, member: &str, why: &str) -> RowMistake {
        match self.columns.of_member(member) {
            Some(column) => RowMistake::of_cell(line, column, why),
            None => RowMistake::of_row(line, format!("{member} {why}")),
        }
    }

    fn contract(
        &self,
        row: &Row,
        caster: &mut Caster<'_>,
        desk: &Desk<'_>,
        named: Option<LicenseId>,
        key: &LineKey,
    ) -> Result<RowContract, RowMistake> {
        let mut known = |contract: &Contract| -> Result<Option<RowContract>, RowMistake> {
            let stamp = newest_stamp(contract);
            let says = says(contract, caster.cast_row(row, stamp)?)
                .map_err(|error| RowMistake::of_row(row.line, error.to_string()))?;
            let keys = contract.newest.keys.iter().copied().collect();
            let signing = signing(&keys, desk.root);
            let stands = match signing {
                Signing::Current => true,
                Signing::Former => !desk.reissue,
                Signing::Fallen => false,
            };
            Ok(says.then_some(match stands {
                true => RowContract::Known(stamp, signing),
                false => RowContract::Again(contract.license_id, signing),
            }))
        };
        if let Some(license_id) = named {
            let Some(contract) = desk.ledger.contract(license_id) else {
                return Ok(RowContract::Named(license_id));
            };
            if contract.newest.line() != *key {
                let why = "is the contract of another organization or product";
                return Err(self.mistake(row.line, "license_id", why));
            }
            return Ok(known(contract)?.unwrap_or(RowContract::Named(license_id)));
        }
        let (mut only, mut again) = (None, None);
        for contract in desk.ledger.contracts_of(key) {
            match known(contract)? {
                Some(found @ RowContract::Known(..)) => return Ok(found),
                found => again = again.or(found),
            }
            only = Some(match only {
                None => RowContract::Only(contract.license_id),
                Some(_) => RowContract::Unclear,
            });
        }
        let only = again.or(only);
        Ok(only.unwrap_or_else(|| RowContract::New((desk.new_id)())))
    }

    /// Refuses a row that would move its license to another machine once too often.
    fn require_budget(
        &self,
        row: &Row,
        desk: &Desk<'_>,
        contract: RowContract,
        bound: Option<&Bound>,
    ) -> Result<(), RowMistake> {
        let (RowContract::Named(id) | RowContract::Only(id)) = contract else { return Ok(()) };
        let (Some(contract), Some(bound)) = (desk.ledger.contract(id), bound) else {
            return Ok(());
        };
        if contract.move_by(bound) != Move::Rehost {
            return Ok(());
        }
        require_budget(contract, self.rehosts_per_year(), desk.today)
            .map_err(|refusal| self.mistake(row.line, "binding", refusal.what()))
    }
}
