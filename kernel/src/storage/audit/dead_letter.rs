//! Dead letter: a record whose content was refused, listed for whom it concerns.

use rusqlite::{Row, params};

use farhold_audit::Epoch;
use farhold_contract::{
    Code, Timestamp,
    id::{RuntimeId, TenantId},
};

use super::{
    super::{
        Storage,
        column::{get, rows, word},
        error::StorageError,
        statement,
    },
    cursor::Cursor,
    number::tenant_known,
};

/// A page of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterPage {
    /// The letters, in the order of arrival.
    pub letters: Vec<DeadLetter>,
    /// Where the next page begins; none: this was the last.
    pub next: Option<Cursor>,
}

/// A record whose content was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its place in the listing.
    pub cursor: Cursor,
    /// Through whom it came.
    pub agent: Option<RuntimeId>,
    /// Its chain's epoch.
    pub epoch: Epoch,
    /// Its record.
    pub seq: u64,
    /// Why it was refused.
    pub code: Code,
    /// What is wrong with it.
    pub detail: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Its bytes; none where they were withheld.
    pub event: Option<Vec<u8>>,
}

impl Storage {
    /// A page of the records listed under an organization whose content was refused.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn dead_letters(
        &self,
        tenant_id: TenantId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<DeadLetterPage, StorageError> {
        self.read(move |sql| {
            let Some(tenant) = tenant_known(sql, tenant_id)? else {
                return Ok(DeadLetterPage { letters: Vec::new(), next: None });
            };
            let after = after.map_or(i64::MIN, |Cursor(at)| at);
            let letters: Vec<DeadLetter> = sql
                .prepare_cached(SELECT)
                .and_then(|mut select| {
                    select
                        .query_map(params![tenant, after, statement::limit(limit)], letter)?
                        .collect()
                })
                .map_err(rows("dead letter"))?;
            let full = letters.len() == limit;
            let next = letters.last().map(|letter| letter.cursor).filter(|_| full);
            Ok(DeadLetterPage { letters, next })
        })
        .await
    }
}

const SELECT: &str =
    "SELECT record.id, agent, epoch, seq, refused_code, refused_why, received_at, event
     FROM record
     CROSS JOIN branch ON branch.id = record.branch
     CROSS JOIN chain ON chain.id = branch.chain
     WHERE refused_under = ?1 AND record.id > ?2 ORDER BY record.id LIMIT ?3";

fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        cursor: Cursor(row.get(0)?),
        agent: get(row, 1)?,
        epoch: get(row, 2)?,
        seq: get(row, 3)?,
        code: word(row, 4)?,
        detail: row.get(5)?,
        received_at: get(row, 6)?,
        event: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_are_listed_along_their_tenants_index() {
        crate::storage::plan::assert_indexed(SELECT, "record_refused");
    }
}
