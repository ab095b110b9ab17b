//! Missing: records that were confirmed once and are not held any more, and the receipt that says so
//! (`bundle.md` §6.7).

use rusqlite::{Connection, params};

use farhold_audit::ChainPosition;

use super::{
    super::{
        Storage,
        column::{Col, get},
        error::StorageError,
        statement,
    },
    branch::BranchId,
};

/// A run of records before a branch that are not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingRun {
    /// The first of them, as far as what is held says: records before it are on another branch.
    pub from: u64,
    /// The last of them, and the head after it: what a receipt confirms.
    pub to: ChainPosition,
}

impl Storage {
    /// The receipt that stands for the records missing before a branch, if any are.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn receipt_before(&self, branch: BranchId) -> Result<Option<Vec<u8>>, StorageError> {
        self.read(move |sql| {
            let select = "SELECT receipt FROM missing WHERE branch = ?1";
            statement::one(sql, "receipt", select, [branch.0], |row| row.get(0))
        })
        .await
    }
}

const AT: &str = "SELECT branch.id FROM branch CROSS JOIN missing ON missing.branch = branch.id
     WHERE branch.chain = ?1 AND branch.first_seq = ?2 + 1 AND missing.head = ?3";

/// The branch that begins after records that are missing, of which this is the last.
pub(super) fn branch_after(
    sql: &Connection,
    chain: i64,
    position: ChainPosition,
) -> Result<Option<BranchId>, StorageError> {
    let at = params![chain, Col(position.seq), Col(position.head)];
    statement::one(sql, "branch", AT, at, |row| row.get(0).map(BranchId))
}

const TIP_BELOW: &str = "SELECT coalesce(max(tip_seq), 0) FROM branch
     WHERE chain = ?1 AND tip_seq < ?2";

/// Notes that what comes before a branch is missing, up to `to`.
pub(super) fn note(
    sql: &Connection,
    chain: i64,
    branch: BranchId,
    to: ChainPosition,
    receipt: &[u8],
) -> Result<MissingRun, StorageError> {
    let below = params![chain, Col(to.seq)];
    let held: Option<u64> = statement::one(sql, "branch", TIP_BELOW, below, |row| get(row, 0))?;
    let from = held.unwrap_or(0) + 1;
    let insert = "INSERT INTO missing (branch, from_seq, head, receipt) VALUES (?1, ?2, ?3, ?4)";
    let values = params![branch.0, Col(from), Col(to.head), receipt];
    statement::change(sql, "missing run", insert, values)?;
    Ok(MissingRun { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::plan::{assert_indexed, steps};

    #[test]
    fn a_place_after_missing_records_is_looked_for_among_one_chains_branches() {
        assert_indexed(TIP_BELOW, "branch_tip");
        let by_branch = "SEARCH missing USING INTEGER PRIMARY KEY (rowid=?)";
        let steps = steps(AT);
        assert!(steps.iter().any(|step| step == by_branch), "{steps:#?}");
        assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:#?}");
    }
}
