//! Caster: rows become licenses, one after the other.

use farhold_bundle::payload::License;

use super::{batch::Batch, mistake::RowMistake, table::Row};
use crate::template::Stamp;

/// Casts one license after the other, in the same place.
#[derive(Debug)]
pub(super) struct Caster<'a> {
    batch: &'a Batch,
    license: License,
}

impl<'a> Caster<'a> {
    /// Casts the licenses of a batch.
    pub(super) fn of(batch: &'a Batch) -> Self {
        Self { batch, license: batch.mold.content().clone() }
    }

    /// The license of the row at a place, with its stamp.
    pub(super) fn cast(&mut self, at: usize, stamp: Stamp) -> Result<&License, RowMistake> {
        self.cast_row(&self.batch.table.rows()[at], stamp)
    }

    /// The license of a row, with its stamp.
    pub(super) fn cast_row(&mut self, row: &Row, stamp: Stamp) -> Result<&License, RowMistake> {
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
