//! Branch: one history of a chain. A chain that was never restored or copied has one.

use rusqlite::{Connection, OptionalExtension, Row, params};

use farhold_audit::{ChainPosition, Epoch, Opening, Previous};
use farhold_bundle::KeyId;
use farhold_contract::id::RuntimeId;

use super::super::{
    Storage,
    column::{Col, get, rows},
    error::StorageError,
};

/// A branch's number: later ones are larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchId(pub(in super::super) i64);

/// A branch that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBranch {
    /// Its number.
    pub branch: BranchId,
    /// Whose chain it is; none: the Kernel's own.
    pub agent: Option<RuntimeId>,
    /// How its epoch began.
    pub opening: Opening,
    /// Its own first record; those before are its parent's.
    pub first_seq: u64,
    /// Its last record and head.
    pub tip: ChainPosition,
    /// The branch it goes away from, if one: the epoch's first where it forks at record 1.
    pub forked_from: Option<BranchId>,
}

impl Storage {
    /// Whether a position of a device's epoch is held: a record with this head, or the opening.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn held(
        &self,
        device_key: KeyId,
        epoch: Epoch,
        position: ChainPosition,
    ) -> Result<bool, StorageError> {
        self.read(move |sql| {
            let Some(chain) = chain(sql, device_key, epoch)? else { return Ok(false) };
            let branches = of_chain(sql, chain)?;
            if position.seq == 0 {
                return Ok(branches
                    .first()
                    .is_some_and(|branch| branch.opening.head() == position.head));
            }
            Ok(branch_at(sql, &branches, None, position)?.is_some())
        })
        .await
    }

    /// The branches of every epoch of a device key, oldest first; the Kernel's own key has its
    /// own chain.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn heads(&self, device_key: KeyId) -> Result<Vec<HeldBranch>, StorageError> {
        self.read(move |sql| heads(sql, device_key)).await
    }
}

const SELECT: &str = "SELECT branch.id, agent, device_key_id, epoch, previous_epoch, previous_seq,
     previous_head, first_seq, tip_seq, tip_head, parent
     FROM branch JOIN chain ON chain.id = branch.chain";

const SELECT_RECORD: &str = "SELECT 1 FROM record WHERE branch = ?1 AND seq = ?2 AND head = ?3";

/// The branches of every epoch of a device key.
pub(super) fn heads(sql: &Connection, device_key: KeyId) -> Result<Vec<HeldBranch>, StorageError> {
    sql.prepare_cached(&format!("{SELECT} WHERE device_key_id = ?1 ORDER BY branch.id"))
        .and_then(|mut select| select.query_map([Col(device_key)], branch)?.collect())
        .map_err(rows("branch"))
}

/// The branches of one chain, oldest first.
pub(super) fn of_chain(sql: &Connection, chain: i64) -> Result<Vec<HeldBranch>, StorageError> {
    sql.prepare_cached(&format!("{SELECT} WHERE chain.id = ?1 ORDER BY branch.id"))
        .and_then(|mut select| select.query_map([chain], branch)?.collect())
        .map_err(rows("branch"))
}

/// One branch.
pub(super) fn of_id(sql: &Connection, branch_id: BranchId) -> Result<HeldBranch, StorageError> {
    sql.prepare_cached(&format!("{SELECT} WHERE branch.id = ?1"))
        .and_then(|mut select| select.query_row([branch_id.0], branch))
        .map_err(rows("branch"))
}

/// A chain's number, if it is known.
pub(super) fn chain(
    sql: &Connection,
    device_key: KeyId,
    epoch: Epoch,
) -> Result<Option<i64>, StorageError> {
    sql.prepare_cached("SELECT id FROM chain WHERE device_key_id = ?1 AND epoch = ?2")
        .and_then(|mut select| {
            select.query_row(params![Col(device_key), Col(epoch)], |row| row.get(0)).optional()
        })
        .map_err(rows("chain"))
}

/// Begins a chain. It has its first branch at once: no chain is without one.
pub(super) fn begin_chain(
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

/// Begins a branch that has no record yet, after `at`.
pub(super) fn begin(
    sql: &Connection,
    chain: i64,
    parent: Option<BranchId>,
    at: ChainPosition,
) -> Result<BranchId, StorageError> {
    sql.prepare_cached(
        "INSERT INTO branch (chain, parent, first_seq, tip_seq, tip_head)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .and_then(|mut insert| {
        let parent = parent.map(|parent| parent.0);
        insert.insert(params![chain, parent, Col(at.seq + 1), Col(at.seq), Col(at.head)])
    })
    .map(BranchId)
    .map_err(rows("branch"))
}

/// Moves a branch's tip.
pub(super) fn move_tip(
    sql: &Connection,
    branch: BranchId,
    tip: ChainPosition,
) -> Result<(), StorageError> {
    sql.prepare_cached("UPDATE branch SET tip_seq = ?2, tip_head = ?3 WHERE id = ?1")
        .and_then(|mut update| update.execute(params![branch.0, Col(tip.seq), Col(tip.head)]))
        .map(drop)
        .map_err(rows("branch"))
}

/// Which of a chain's branches has this record as its own. The tips are looked at first, then the
/// branch that the record before was found on, if one was.
pub(super) fn branch_at(
    sql: &Connection,
    branches: &[HeldBranch],
    on: Option<BranchId>,
    position: ChainPosition,
) -> Result<Option<BranchId>, StorageError> {
    if let Some(tip) = branches.iter().find(|branch| branch.tip == position) {
        return Ok(Some(tip.branch));
    }
    let mut select = sql.prepare_cached(SELECT_RECORD).map_err(rows("record"))?;
    let same = branches.iter().filter(|branch| Some(branch.branch) == on);
    let others = branches.iter().filter(|branch| Some(branch.branch) != on);
    for &HeldBranch { branch, first_seq, tip, .. } in same.chain(others) {
        if !(first_seq..=tip.seq).contains(&position.seq) {
            continue;
        }
        let has = params![branch.0, Col(position.seq), Col(position.head)];
        if select.exists(has).map_err(rows("record"))? {
            return Ok(Some(branch));
        }
    }
    Ok(None)
}

fn branch(row: &Row<'_>) -> rusqlite::Result<HeldBranch> {
    Ok(HeldBranch {
        branch: BranchId(row.get(0)?),
        agent: get(row, 1)?,
        opening: Opening {
            device_key_id: get(row, 2)?,
            epoch: get(row, 3)?,
            previous: Previous { epoch: get(row, 4)?, seq: get(row, 5)?, head: get(row, 6)? },
        },
        first_seq: get(row, 7)?,
        tip: ChainPosition { seq: get(row, 8)?, head: get(row, 9)? },
        forked_from: row.get::<_, Option<i64>>(10)?.map(BranchId),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::plan::assert_indexed;

    #[test]
    fn branches_and_their_records_are_found_by_their_indexes() {
        assert_indexed(SELECT_RECORD, "record_chain");
        assert_indexed(&format!("{SELECT} WHERE device_key_id = ?1"), "sqlite_autoindex_chain_1");
    }
}
