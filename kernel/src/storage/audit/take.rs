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
    branch::{BranchId, HeldBranch, begin, heads, move_tip},
    chain::{self, Chain},
    insert::{Row, insert},
    missing::{self, MissingRun},
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
    /// The line of a receipt that confirms all up to there, once it was proven: where that is not
    /// held any more, the batch is taken in all the same.
    pub receipt: Option<Vec<u8>>,
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
        /// The records before it that are missing, if it is the first to say so.
        missing: Option<MissingRun>,
        /// Where its chain stands after it.
        tip: ChainPosition,
        /// Records whose content the storage itself refuses, or refused when they came first.
        refused: Vec<(u64, Refused)>,
    },
    /// What comes before it is not held, and no receipt says that it was; nothing of it is taken.
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
    /// As it was before the batch; none: the batch begins it.
    chain: Option<Chain>,
    at: ChainPosition,
    /// On which branch `at` is; none before the first record.
    on: Option<BranchId>,
    /// Whether `on` is longer than it was: what comes after something new is new.
    moved: bool,
    new: u64,
    known: u64,
    forked: bool,
    missing: Option<MissingRun>,
    refused: Vec<(u64, Refused)>,
}

impl<'b> Walk<'b> {
    /// Stands before the batch; `None` if that place is not held, and no receipt is for it.
    fn begin(sql: &Connection, batch: &'b Batch) -> Result<Option<Self>, StorageError> {
        let Batch { opening, before: at, .. } = batch;
        let chain = chain::of_epoch(sql, opening.device_key_id, opening.epoch)?;
        // Another opening of the same epoch is another chain: what was signed first stands. And
        // the Kernel's own chain is written by nobody else.
        if chain.as_ref().is_some_and(|of| of.opening != *opening || of.agent.is_none()) {
            return Ok(None);
        }
        let on = match &chain {
            Some(chain) if at.seq > 0 => chain.branch_at(sql, *at, None)?,
            _ => None,
        };
        let is_held = on.is_some() || *at == ChainPosition::start(opening);
        if !is_held && batch.receipt.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            batch,
            chain,
            at: *at,
            on,
            moved: false,
            new: 0,
            known: 0,
            forked: false,
            missing: None,
            refused: Vec::new(),
        }))
    }

    fn step(&mut self, txn: &mut Txn<'_>, record: &TakenRecord) -> Result<(), StorageError> {
        let next = ChainPosition { seq: record.link.seq, head: record.head };
        let held = match &self.chain {
            Some(chain) if !self.moved && next.seq <= chain.last_seq => {
                chain.branch_at(txn.sql(), next, self.on)?
            }
            _ => None,
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
        if let (true, Some(on)) = (self.moved, self.on) {
            return Ok(on);
        }
        let begun = self.chain.as_ref();
        if let Some(tip) = begun.map(|chain| chain.tip_at(sql, self.at)).transpose()?.flatten() {
            return Ok(tip);
        }
        let chain = match begun {
            Some(chain) => chain.id,
            None => chain::begin(sql, &self.batch.opening, Some(self.batch.agent))?,
        };
        // At an epoch's opening, what follows the same is the branch that began there, if one did.
        let is_opening = self.at == ChainPosition::start(&self.batch.opening);
        let first = begun.and_then(|chain| chain.first).filter(|_| is_opening);
        let parent = self.on.or(first);
        self.forked = parent.is_some();
        let branch = begin(sql, chain, parent, self.at)?;
        if let (None, false, Some(receipt)) = (parent, is_opening, &self.batch.receipt) {
            self.missing = Some(missing::note(sql, chain, branch, self.at, receipt)?);
        }
        Ok(branch)
    }

    fn end(self, sql: &Connection) -> Result<Taken, StorageError> {
        if let (true, Some(on)) = (self.moved, self.on) {
            move_tip(sql, on, self.at)?;
        }
        let Self { new, known, forked, missing, at: tip, refused, .. } = self;
        Ok(Taken::Accepted { new, known, forked, missing, tip, refused })
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
