//! Batch: every row as a license, held to every rule before the first is signed.

use std::collections::BTreeMap;

use farhold_bundle::{TrustRoot, Whole};
use farhold_contract::{
    Timestamp,
    id::{IssuerId, LicenseId},
};
use farhold_ledger::Ledger;

use super::{
    caster::Caster, column::Columns, facts::RowFacts, mistake::Mistakes, parallel::every_part,
    table::Table,
};
use crate::{
    refusal::Refusal,
    template::{self, Mold},
};

/// A table and the template that its rows change.
#[derive(Debug)]
pub struct Batch {
    pub(super) table: Table,
    pub(super) columns: Columns,
    pub(super) mold: Mold,
    pub(super) template_id: Option<LicenseId>,
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
    /// What the system clock says: moves of the year before it are counted.
    pub today: Timestamp,
    /// How many keys sign each.
    pub keys: usize,
    /// Whether what a rotated key signed gets the next serial, too.
    pub reissue: bool,
    /// Makes the id of a new contract.
    pub new_id: &'a (dyn Fn() -> LicenseId + Sync),
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
        Caster::of(self)
    }

    /// How often in a year a license of the template may be moved.
    pub(super) const fn rehosts_per_year(&self) -> Option<Whole> {
        self.rehosts_per_year
    }

    /// The template's product.
    pub(super) fn product(&self) -> &str {
        &self.mold.content().product
    }
}
