//! Branch: one history of a chain. A chain that was never restored or copied has one.

use rusqlite::{Connection, Row, params};

use farhold_audit::{ChainPosition, Epoch, Opening, Previous};
use farhold_bundle::KeyId;
use farhold_contract::id::RuntimeId;

use super::{
    super::{
        Storage,
        column::{Col, get, rows},
        error::StorageError,
        statement,
    },
    chain,
    missing::MissingRun,
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
    /// The records before its own that are not held, if it follows none that is.
    pub missing: Option<MissingRun>,
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
            let chain = chain::of_epoch(sql, device_key, epoch)?;
            chain.map_or(Ok(false), |chain| chain.holds(sql, position))
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
     previous_head, first_seq, tip_seq, tip_head, parent, missing.from_seq, missing.head
     FROM branch JOIN chain ON chain.id = branch.chain
     LEFT JOIN missing ON missing.branch = branch.id";

/// The branches of every epoch of a device key.
pub(super) fn heads(sql: &Connection, device_key: KeyId) -> Result<Vec<HeldBranch>, StorageError> {
    let select = format!("{SELECT} WHERE device_key_id = ?1 ORDER BY branch.id");
    statement::all(sql, "branch", &select, [Col(device_key)], branch)
}

/// One branch.
pub(super) fn of_id(
    sql: &Connection,
    branch_id: BranchId,
) -> Result<Option<HeldBranch>, StorageError> {
    let select = format!("{SELECT} WHERE branch.id = ?1");
    statement::one(sql, "branch", &select, [branch_id.0], branch)
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
    let update = "UPDATE branch SET tip_seq = ?2, tip_head = ?3 WHERE id = ?1";
    let tip = params![branch.0, Col(tip.seq), Col(tip.head)];
    statement::change(sql, "branch", update, tip).map(drop)
}

fn branch(row: &Row<'_>) -> rusqlite::Result<HeldBranch> {
    let first_seq: u64 = get(row, 7)?;
    let missing_from: Option<u64> = get(row, 11)?;
    let missing = match missing_from {
        None => None,
        Some(from) => {
            let to = ChainPosition { seq: first_seq - 1, head: get(row, 12)? };
            Some(MissingRun { from, to })
        }
    };
    Ok(HeldBranch {
        branch: BranchId(row.get(0)?),
        agent: get(row, 1)?,
        opening: Opening {
            device_key_id: get(row, 2)?,
            epoch: get(row, 3)?,
            previous: Previous { epoch: get(row, 4)?, seq: get(row, 5)?, head: get(row, 6)? },
        },
        first_seq,
        tip: ChainPosition { seq: get(row, 8)?, head: get(row, 9)? },
        forked_from: row.get::<_, Option<i64>>(10)?.map(BranchId),
        missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::plan::assert_indexed;

    #[test]
    fn a_device_keys_branches_are_found_by_their_indexes() {
        assert_indexed(&format!("{SELECT} WHERE device_key_id = ?1"), "sqlite_autoindex_chain_1");
    }
}
