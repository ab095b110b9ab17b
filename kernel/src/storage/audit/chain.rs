//! Chain: everything that one device key recorded in one epoch, with its branches.

use rusqlite::{Connection, Row, params};

use farhold_audit::{ChainPosition, Epoch, Opening, Previous};
use farhold_bundle::KeyId;
use farhold_contract::id::RuntimeId;

use super::{
    super::{
        column::{Col, get, rows},
        error::StorageError,
        statement,
    },
    branch::BranchId,
    missing,
};

/// A chain that is held. It has a branch, from its beginning on unless that is missing.
pub(super) struct Chain {
    pub(super) id: i64,
    /// Whose it is; none: the Kernel's own.
    pub(super) agent: Option<RuntimeId>,
    /// How its epoch began.
    pub(super) opening: Opening,
    /// The branch it began with, if its beginning is held.
    pub(super) first: Option<BranchId>,
    /// The last record held, of any branch.
    pub(super) last_seq: u64,
}

const SELECT: &str = "SELECT id, agent, device_key_id, epoch, previous_epoch, previous_seq,
     previous_head, (SELECT min(branch.id) FROM branch
      WHERE branch.chain = chain.id AND branch.first_seq = 1),
     (SELECT max(tip_seq) FROM branch WHERE branch.chain = chain.id)
     FROM chain WHERE device_key_id = ?1";

const AT_TIP: &str = "SELECT id FROM branch WHERE chain = ?1 AND tip_seq = ?2 AND tip_head = ?3";

const ON_BRANCH: &str = "SELECT 1 FROM record WHERE branch = ?1 AND seq = ?2 AND head = ?3";

/// In the order written: of the branches that reach so far, each is looked into once.
const ON_ANY: &str = "SELECT branch.id FROM branch
     CROSS JOIN record ON record.branch = branch.id AND record.seq = ?2
     WHERE branch.chain = ?1 AND branch.tip_seq >= ?2 AND branch.first_seq <= ?2
       AND record.head = ?3 LIMIT 1";

/// The chain of a device key's epoch, if it is known.
pub(super) fn of_epoch(
    sql: &Connection,
    device_key: KeyId,
    epoch: Epoch,
) -> Result<Option<Chain>, StorageError> {
    let select = format!("{SELECT} AND epoch = ?2");
    statement::one(sql, "chain", &select, params![Col(device_key), Col(epoch)], chain)
}

/// The Kernel's own chain under a receipt key, if it has one.
pub(super) fn own(sql: &Connection, receipt_key: KeyId) -> Result<Option<Chain>, StorageError> {
    let select = format!("{SELECT} AND agent IS NULL");
    statement::one(sql, "chain", &select, [Col(receipt_key)], chain)
}

/// Begins a chain, without its first branch yet.
pub(super) fn begin(
    sql: &Connection,
    opening: &Opening,
    agent: Option<RuntimeId>,
) -> Result<i64, StorageError> {
    let Previous { epoch, seq, head } = opening.previous;
    sql.prepare_cached(
        "INSERT INTO chain (device_key_id, epoch, previous_epoch, previous_seq, previous_head, agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .and_then(|mut insert| {
        insert.insert(params![
            Col(opening.device_key_id),
            Col(opening.epoch),
            Col(epoch),
            Col(seq),
            Col(head),
            Col(agent)
        ])
    })
    .map_err(rows("chain"))
}

impl Chain {
    /// Whether a position is held: a record with this head, or the opening, or the last of records
    /// that are missing and were confirmed.
    pub(super) fn holds(
        &self,
        sql: &Connection,
        position: ChainPosition,
    ) -> Result<bool, StorageError> {
        if position.seq == 0 {
            return Ok(position == ChainPosition::start(&self.opening));
        }
        Ok(self.branch_at(sql, position, None)?.is_some())
    }

    /// The branch that has this record as its last.
    pub(super) fn tip_at(
        &self,
        sql: &Connection,
        position: ChainPosition,
    ) -> Result<Option<BranchId>, StorageError> {
        let at = params![self.id, Col(position.seq), Col(position.head)];
        statement::one(sql, "branch", AT_TIP, at, |row| row.get(0).map(BranchId))
    }

    /// The branch that has this record as its own. The one that the record before was found on is
    /// looked at first, then the tips: only a fork or a retry goes through them all. What follows
    /// missing records is on the branch that begins after them, and so is the last of these.
    pub(super) fn branch_at(
        &self,
        sql: &Connection,
        position: ChainPosition,
        near: Option<BranchId>,
    ) -> Result<Option<BranchId>, StorageError> {
        if let Some(near) = near {
            let at = params![near.0, Col(position.seq), Col(position.head)];
            if statement::any(sql, "record", ON_BRANCH, at)? {
                return Ok(Some(near));
            }
        }
        if let Some(tip) = self.tip_at(sql, position)? {
            return Ok(Some(tip));
        }
        let at = params![self.id, Col(position.seq), Col(position.head)];
        let found = statement::one(sql, "branch", ON_ANY, at, |row| row.get(0).map(BranchId))?;
        if found.is_some() {
            return Ok(found);
        }
        missing::branch_after(sql, self.id, position)
    }
}

fn chain(row: &Row<'_>) -> rusqlite::Result<Chain> {
    Ok(Chain {
        id: row.get(0)?,
        agent: get(row, 1)?,
        opening: Opening {
            device_key_id: get(row, 2)?,
            epoch: get(row, 3)?,
            previous: Previous { epoch: get(row, 4)?, seq: get(row, 5)?, head: get(row, 6)? },
        },
        first: row.get::<_, Option<i64>>(7)?.map(BranchId),
        last_seq: get(row, 8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::plan::{assert_indexed, steps};

    #[test]
    fn a_place_in_a_chain_is_found_without_looking_at_all_its_branches() {
        assert_indexed(&format!("{SELECT} AND epoch = ?2"), "sqlite_autoindex_chain_1");
        assert_indexed(AT_TIP, "branch_tip");
        assert_indexed(ON_BRANCH, "record_chain");
        assert_indexed(ON_ANY, "branch_tip");
        let last = steps(ON_ANY).pop();
        let by_record = "SEARCH record USING INDEX record_chain (branch=? AND seq=?)";
        assert_eq!(last.as_deref(), Some(by_record));
    }
}
