//! Take: a batch into its chain, idempotent, with a branch for each second successor
//! (`bundle.md` §6).

use rusqlite::{Connection, params};

use farhold_audit::{ChainPosition, Opening};
use farhold_contract::{Timestamp, id::RuntimeId};

use super::{
    super::{
        Storage,
        column::{Col, rows},
        error::StorageError,
        trail::Trail,
        txn::Txn,
    },
    branch::{
        self, BranchId, HeldBranch, begin, begin_chain, branch_at, heads, move_tip, of_chain,
    },
    insert::{Row, insert},
    record::{REFUSED, Refused, TakenBody, TakenRecord, refused},
};

/// A batch whose records make the chain that its device signed.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whose it is.
    pub agent: RuntimeId,
    /// How its epoch began.
    pub opening: Opening,
    /// Where the chain stood before it.
    pub before: ChainPosition,
    /// When it came.
    pub received_at: Timestamp,
    /// Its records, each the next of the one before.
    pub records: Vec<TakenRecord>,
}

/// What a batch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// All of it is held.
    Accepted {
        /// Records that were new.
        new: u64,
        /// Records that were held already.
        known: u64,
        /// Whether it began a branch beside one that was there.
        forked: bool,
        /// Where its chain stands after it.
        tip: ChainPosition,
        /// Records whose content the storage itself refuses, or refused when they came first.
        refused: Vec<(u64, Refused)>,
    },
    /// What comes before it is not held; nothing of it is taken.
    Gap {
        /// The branches held of its device key.
        heads: Vec<HeldBranch>,
    },
}

impl Storage {
    /// Takes a batch in, all of it or nothing.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn take_batch(
        &self,
        batch: Batch,
        trail: impl FnOnce(&Taken) -> Trail + Send + 'static,
    ) -> Result<Taken, StorageError> {
        let bytes = batch.records.iter().map(weight).sum();
        self.write_weighing(bytes, move |txn| {
            let taken = take(txn, &batch)?;
            txn.leave(taken, trail)
        })
        .await
    }
}

/// About what a record takes while it waits.
fn weight(record: &TakenRecord) -> usize {
    let event = match &record.body {
        TakenBody::Kept { event, .. } => event.len(),
        TakenBody::Withheld(_) => 0,
    };
    event + 256
}

fn take(txn: &mut Txn<'_>, batch: &Batch) -> Result<Taken, StorageError> {
    let Some(mut walk) = Walk::begin(txn.sql(), batch)? else {
        return Ok(Taken::Gap { heads: heads(txn.sql(), batch.opening.device_key_id)? });
    };
    for record in &batch.records {
        walk.step(txn, record)?;
    }
    walk.end(txn.sql())
}

/// The way through a batch.
struct Walk<'b> {
    batch: &'b Batch,
    /// None: the batch begins it.
    chain: Option<i64>,
    /// Its branches at the time of the batch, the first one first.
    branches: Vec<HeldBranch>,
    /// The last record held at the time of the batch, of any branch: later ones can't be known.
    last_held: u64,
    at: ChainPosition,
    /// On which branch `at` is; none before the first record.
    on: Option<BranchId>,
    /// Whether `on` is longer than it was: what comes after something new is new.
    moved: bool,
    new: u64,
    known: u64,
    forked: bool,
    refused: Vec<(u64, Refused)>,
}

impl<'b> Walk<'b> {
    /// Stands before the batch; `None` if that place is not held.
    fn begin(sql: &Connection, batch: &'b Batch) -> Result<Option<Self>, StorageError> {
        let Batch { opening, before: at, .. } = batch;
        let chain = branch::chain(sql, opening.device_key_id, opening.epoch)?;
        let branches = chain.map_or(Ok(Vec::new()), |chain| of_chain(sql, chain))?;
        // Another opening of the same epoch is another chain: what was signed first stands. And
        // the Kernel's own chain is written by nobody else.
        if branches.first().is_some_and(|of| of.opening != *opening || of.agent.is_none()) {
            return Ok(None);
        }
        let on = match at.seq {
            0 => None,
            _ => branch_at(sql, &branches, None, *at)?,
        };
        if on.is_none() && *at != ChainPosition::start(opening) {
            return Ok(None);
        }
        let last_held = branches.iter().map(|branch| branch.tip.seq).max().unwrap_or(0);
        Ok(Some(Self {
            batch,
            chain,
            branches,
            last_held,
            at: *at,
            on,
            moved: false,
            new: 0,
            known: 0,
            forked: false,
            refused: Vec::new(),
        }))
    }

    fn step(&mut self, txn: &mut Txn<'_>, record: &TakenRecord) -> Result<(), StorageError> {
        let next = ChainPosition { seq: record.link.seq, head: record.head };
        let held = if self.moved || next.seq > self.last_held {
            None
        } else {
            branch_at(txn.sql(), &self.branches, self.on, next)?
        };
        let (on, refused) = match held {
            Some(on) => {
                self.known += 1;
                // A retry hears what the first one would have heard.
                (on, refused_before(txn.sql(), on, record)?)
            }
            None => {
                self.new += 1;
                let on = self.successor(txn.sql())?;
                self.moved = true;
                (on, insert(txn, &self.row(on, record))?)
            }
        };
        self.refused.extend(refused.map(|refused| (next.seq, refused)));
        (self.at, self.on) = (next, Some(on));
        Ok(())
    }

    fn row<'r>(&self, branch: BranchId, record: &'r TakenRecord) -> Row<'r> {
        Row {
            branch,
            link: &record.link,
            head: record.head,
            received_at: self.batch.received_at,
            body: &record.body,
            event: record.event.as_ref(),
            refused: record.refused.as_ref(),
        }
    }

    /// The branch on which the next record goes: the one this is the tip of, or a new one.
    fn successor(&mut self, sql: &Connection) -> Result<BranchId, StorageError> {
        let is_tip = |branch: &&HeldBranch| Some(branch.branch) == self.on && branch.tip == self.at;
        match (self.on, self.branches.first()) {
            (Some(on), _) if self.moved || self.branches.iter().any(|branch| is_tip(&branch)) => {
                Ok(on)
            }
            (on, Some(first)) => {
                self.forked = true;
                begin(sql, self.chain_of(sql)?, Some(on.unwrap_or(first.branch)), self.at)
            }
            (_, None) => begin(sql, self.chain_of(sql)?, None, self.at),
        }
    }

    fn chain_of(&self, sql: &Connection) -> Result<i64, StorageError> {
        let Batch { opening, agent, .. } = self.batch;
        self.chain.map_or_else(|| begin_chain(sql, opening, Some(*agent)), Ok)
    }

    fn end(self, sql: &Connection) -> Result<Taken, StorageError> {
        if let (true, Some(on)) = (self.moved, self.on) {
            move_tip(sql, on, self.at)?;
        }
        let Self { new, known, forked, at: tip, refused, .. } = self;
        Ok(Taken::Accepted { new, known, forked, tip, refused })
    }
}

/// Why the storage refused the content of a record that came in good order, if it did.
fn refused_before(
    sql: &Connection,
    branch: BranchId,
    record: &TakenRecord,
) -> Result<Option<Refused>, StorageError> {
    if record.refused.is_some() {
        return Ok(None);
    }
    let select = format!("SELECT {REFUSED} FROM record WHERE branch = ?1 AND seq = ?2");
    sql.prepare_cached(&select)
        .and_then(|mut select| {
            select.query_row(params![branch.0, Col(record.link.seq)], |row| refused(row, 0))
        })
        .map_err(rows("record"))
}
