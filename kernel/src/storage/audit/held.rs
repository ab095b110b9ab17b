//! Held: a chain as it is verified again, record by record.

use rusqlite::{Connection, Row, params};

use farhold_audit::{Head, Link, Withheld, event_hash};
use farhold_contract::{Sha256Digest, Timestamp};

use super::{
    super::{
        Storage,
        column::{Col, get, rows, word},
        error::StorageError,
        statement,
    },
    branch::BranchId,
    record::{REFUSED, Refused, TakenBody, class, refused},
};

/// A record of a chain, as it is verified again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// What the chain keeps of it; the hash of an event that is there is computed anew.
    pub link: Link,
    /// The head that was kept with it.
    pub head: Head,
    /// Its event, or why it is not there.
    pub body: TakenBody,
    /// When it came.
    pub received_at: Timestamp,
    /// Why its content was refused, if it was.
    pub refused: Option<Refused>,
}

impl Storage {
    /// The administration's: records of a branch after `after_seq`, from its epoch's opening on,
    /// those of the branches it goes away from included; fewer than `limit` only at its end.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn chain_records(
        &self,
        branch: BranchId,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<HeldRecord>, StorageError> {
        self.read(move |sql| {
            let mut records = Vec::new();
            for stretch in way(sql, branch, after_seq)? {
                let wanted = limit.saturating_sub(records.len());
                if wanted == 0 {
                    break;
                }
                records.extend(along(sql, &stretch, after_seq, wanted)?);
            }
            Ok(records)
        })
        .await
    }
}

/// A branch's own records, up to where the next branch of the way goes away from it.
struct Stretch {
    branch: BranchId,
    last_seq: u64,
}

const SELECT_WAY: &str = "WITH RECURSIVE way (branch, parent, first_seq, last_seq) AS (
         SELECT id, parent, first_seq, tip_seq FROM branch WHERE id = ?1
         UNION ALL
         SELECT branch.id, branch.parent, branch.first_seq, way.first_seq - 1
         FROM way CROSS JOIN branch ON branch.id = way.parent
         WHERE way.first_seq - 1 > ?2
     )
     SELECT branch, last_seq FROM way";

/// The way from `after_seq` on, along the ancestors of a branch, in the order of its records.
fn way(sql: &Connection, branch: BranchId, after_seq: u64) -> Result<Vec<Stretch>, StorageError> {
    let back =
        statement::all(sql, "branch", SELECT_WAY, params![branch.0, Col(after_seq)], |row| {
            Ok(Stretch { branch: BranchId(row.get(0)?), last_seq: get(row, 1)? })
        });
    back.map(|mut way| {
        way.reverse();
        way
    })
}

fn along(
    sql: &Connection,
    stretch: &Stretch,
    after_seq: u64,
    limit: usize,
) -> Result<Vec<HeldRecord>, StorageError> {
    let Stretch { branch, last_seq } = stretch;
    sql.prepare_cached(&select_stretch())
        .and_then(|mut select| {
            let within = params![branch.0, Col(after_seq), Col(*last_seq), statement::limit(limit)];
            select.query_map(within, held)?.collect()
        })
        .map_err(rows("record"))
}

fn select_stretch() -> String {
    format!(
        "SELECT seq, recorded_at, tenant_id, class, salt, event, event_hash, withheld, head,
                received_at, {REFUSED}
         FROM record CROSS JOIN record_tenant ON record_tenant.id = record.tenant
         WHERE branch = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4"
    )
}

fn held(row: &Row<'_>) -> rusqlite::Result<HeldRecord> {
    let body = match (row.get(4)?, row.get(5)?) {
        (Some(salt), Some(event)) => TakenBody::Kept { salt, event },
        _ => TakenBody::Withheld(word::<Withheld>(row, 7)?),
    };
    let event_hash = match &body {
        TakenBody::Kept { salt, event } => event_hash(salt, event),
        TakenBody::Withheld(_) => get::<Sha256Digest>(row, 6)?,
    };
    Ok(HeldRecord {
        link: Link {
            seq: get(row, 0)?,
            recorded_at: get(row, 1)?,
            tenant_id: get(row, 2)?,
            class: class(row, 3)?,
            event_hash,
        },
        head: get(row, 8)?,
        body,
        received_at: get(row, 9)?,
        refused: refused(row, 10)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::plan::{assert_indexed, steps};

    #[test]
    fn a_chain_is_read_along_its_index_and_its_way_along_the_branches_parents() {
        assert_indexed(&select_stretch(), "record_chain");
        let by_number = "SEARCH branch USING INTEGER PRIMARY KEY (rowid=?)";
        let way = steps(SELECT_WAY);
        assert_eq!(way.iter().filter(|step| *step == by_number).count(), 2, "{way:#?}");
        assert!(!way.iter().any(|step| step.starts_with("SCAN branch")), "{way:#?}");
    }
}
