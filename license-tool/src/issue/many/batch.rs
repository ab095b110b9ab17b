//! Batch: every row as a license, held to every rule before the first is signed.

use std::collections::BTreeMap;

use farhold_bundle::{
    Draft, LineKey, PayloadError, Positive, TrustRoot, Whole,
    payload::{License, Payload},
};
use farhold_contract::{
    Timestamp,
    id::{IssuerId, LicenseId, TenantId},
};
use farhold_ledger::{Bound, Contract, Ledger, Move};

use super::{
    column::Columns,
    mistake::{Mistakes, RowMistake},
    parallel::every_part,
    table::{Row, Table},
};
use crate::{
    issue::{newest_stamp, nonsense, require_budget, says, warnings},
    refusal::Refusal,
    template::{self, Mold, Stamp},
};

/// A table and the template that its rows change.
#[derive(Debug)]
pub struct Batch {
    table: Table,
    columns: Columns,
    mold: Mold,
    template_id: Option<LicenseId>,
    rehosts_per_year: Option<Whole>,
}

/// A table that holds.
#[derive(Debug)]
pub struct Checked {
    /// What each row is about.
    pub(super) rows: Vec<RowFacts>,
    /// What the vendor should know, and of how many licenses.
    pub warnings: BTreeMap<String, u64>,
}

/// What rows are held against.
pub struct Desk<'a> {
    /// What was issued before.
    pub ledger: &'a Ledger,
    /// The root that licenses are issued under.
    pub root: &'a TrustRoot,
    /// When they are issued.
    pub now: Timestamp,
    /// Makes the id of a new contract.
    pub new_id: &'a (dyn Fn() -> LicenseId + Sync),
}

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
    /// One whose newest serial says exactly this.
    Known(Stamp),
    /// This one, which gets a serial.
    Named(LicenseId),
    /// The only one of its organization and product.
    Only(LicenseId),
    /// None yet: a new one with this id.
    New(LicenseId),
    /// One of several.
    Unclear,
}

/// Casts one license after the other, in the same place.
#[derive(Debug)]
pub(super) struct Caster<'a> {
    batch: &'a Batch,
    license: License,
}

impl Caster<'_> {
    /// The license of the row at a place, with its stamp.
    pub(super) fn cast(&mut self, at: usize, stamp: Stamp) -> Result<&License, RowMistake> {
        self.cast_row(&self.batch.table.rows()[at], stamp)
    }

    fn cast_row(&mut self, row: &Row, stamp: Stamp) -> Result<&License, RowMistake> {
        let Batch { columns, mold, .. } = self.batch;
        // What the row before has changed and this one leaves to the template.
        if !columns.overwrite_all(row) {
            self.license.clone_from(mold.content());
        }
        mold.stamp(stamp, &mut self.license);
        columns.apply(row, &mut self.license)?;
        Ok(&self.license)
    }
}

impl Batch {
    /// Puts a template and a table together.
    ///
    /// # Errors
    /// `template.invalid` with the line of the template, or line and column of the table.
    pub fn new(
        template_text: &str,
        table: Table,
        issuer: IssuerId,
        unbound: bool,
    ) -> Result<Self, Refusal> {
        let given = Columns::given(table.headings());
        let mut template = template::read_for(template_text, &given)?;
        if unbound {
            template.set_unbound();
        }
        let mold = template.mold(issuer)?;
        let lacks = |member: &str| {
            let others: Vec<&str> =
                given.iter().copied().filter(|other| *other != member).collect();
            template::read_for(template_text, &others).is_err()
        };
        let columns = Columns::read(table.headings(), mold.content(), lacks)
            .map_err(|mistake| mistake.refuse())?;
        Ok(Self {
            template_id: template.license_id(),
            rehosts_per_year: template.rehosts_per_year(),
            table,
            columns,
            mold,
        })
    }

    /// How many licenses there will be.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Never: a table without rows is refused when it is read.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Reads every row, holds its license to every rule, and looks it up in the ledger.
    ///
    /// # Errors
    /// Every mistake, by line and column.
    pub fn check(&self, desk: &Desk<'_>) -> Result<Checked, Mistakes> {
        let parts = every_part(self.len(), |part| {
            let mut mistakes = Mistakes::default();
            let mut checked =
                Checked { rows: Vec::with_capacity(part.len()), warnings: BTreeMap::new() };
            // Of licenses alike the reader reads the first one back; what a row may change is held
            // to the same rules by its own reader and by the license's check.
            let mut reads_back = true;
            let mut caster = self.caster();
            for row in &self.table.rows()[part] {
                match self.check_row(row, &mut caster, desk, reads_back) {
                    Ok((facts, warnings)) => {
                        checked.rows.push(facts);
                        for warning in warnings {
                            *checked.warnings.entry(warning).or_default() += 1;
                        }
                    }
                    Err(mistake) => mistakes.add(mistake),
                }
                reads_back = self.columns.reach_values();
            }
            (checked, mistakes)
        });
        let mut all = Checked { rows: Vec::with_capacity(self.len()), warnings: BTreeMap::new() };
        let mut mistakes = Mistakes::default();
        for (checked, wrong) in parts {
            all.rows.extend(checked.rows);
            for (warning, count) in checked.warnings {
                *all.warnings.entry(warning).or_default() += count;
            }
            mistakes.merge(wrong);
        }
        if mistakes.is_empty() { Ok(all) } else { Err(mistakes) }
    }

    /// Casts the licenses of rows, one after the other.
    pub(super) fn caster(&self) -> Caster<'_> {
        Caster { batch: self, license: self.mold.content().clone() }
    }

    /// How often in a year a license of the template may be moved.
    pub(super) const fn rehosts_per_year(&self) -> Option<Whole> {
        self.rehosts_per_year
    }

    /// The template's product.
    pub(super) fn product(&self) -> &str {
        &self.mold.content().product
    }

    fn check_row(
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
        let said = warnings(license);
        let (tenant_id, key) = (license.tenant.tenant_id, LineKey::of(license));
        let bound = license.binding.as_ref().map(Bound::of);
        let contract = self.contract(row, caster, desk, named, &key)?;
        self.require_budget(row, desk, contract, bound.as_ref())?;
        let product = (key.product != self.product()).then(|| key.product.as_str().into());
        Ok((RowFacts { line, tenant_id, product, contract, is_named: named.is_some() }, said))
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
            Ok(says.then_some(RowContract::Known(stamp)))
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
        let mut only = None;
        for contract in desk.ledger.contracts_of(key) {
            if let Some(known) = known(contract)? {
                return Ok(known);
            }
            only = Some(match only {
                None => RowContract::Only(contract.license_id),
                Some(_) => RowContract::Unclear,
            });
        }
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
        require_budget(contract, self.rehosts_per_year, desk.now)
            .map_err(|refusal| self.mistake(row.line, "binding", refusal.what()))
    }
}
