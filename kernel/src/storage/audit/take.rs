//! Take: a batch into its chain, idempotent, with a branch for each second successor
//! (`bundle.md` §6).

use farhold_audit::{ChainPosition, Opening};
use farhold_contract::{Timestamp, id::RuntimeId};

use super::{
    super::{Storage, error::StorageError, trail::Trail, txn::Txn},
    branch::{self, BranchId, HeldBranch, begin, branch_at, chain_of, heads, move_tip, of_chain},
    insert::{Row, insert},
    record::{Refused, TakenBody, TakenRecord},
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
        /// Records whose content the storage itself refuses.
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
    let Some(mut walk) = Walk::begin(txn, batch)? else {
        return Ok(Taken::Gap { heads: heads(txn.sql(), batch.opening.device_key_id)? });
    };
    for record in &batch.records {
        walk.step(txn, batch, record)?;
    }
    walk.end(txn)
}

/// The way through a batch.
struct Walk {
    chain: i64,
    branches: Vec<HeldBranch>,
    /// The last record held at the time of the batch, of any branch: later ones can't be known.
    last_held: u64,
    at: ChainPosition,
    /// On which branch `at` is; none before the first record.
    on: Option<BranchId>,
    moved: bool,
    new: u64,
    known: u64,
    forked: bool,
    refused: Vec<(u64, Refused)>,
}

impl Walk {
    /// Stands before the batch; `None` if that place is not held.
    fn begin(txn: &Txn<'_>, batch: &Batch) -> Result<Option<Self>, StorageError> {
        let (sql, at) = (txn.sql(), batch.before);
        let start = ChainPosition::start(&batch.opening);
        if at.seq == 0 && at != start {
            return Ok(None);
        }
        let known =
            branch::chain(sql, batch.opening.device_key_id, batch.opening.epoch)?;
        if at.seq > 0 && known.is_none() {
            return Ok(None);
        }
        let chain = chain_of(sql, &batch.opening, Some(batch.agent))?;
        let branches = of_chain(sql, chain)?;
        // Another opening of the same epoch is another chain: what was signed first stands.
        if branches.first().is_some_and(|branch| branch.opening != batch.opening) {
            return Ok(None);
        }
        let on = if at.seq == 0 { None } else { branch_at(sql, &branches, at)? };
        if at.seq > 0 && on.is_none() {
            return Ok(None);
        }
        let last_held = branches.iter().map(|branch| branch.tip.seq).max().unwrap_or(0);
        Ok(Some(Self {
            chain,
            branches,
            last_held,
            at,
            on,
            moved: false,
            new: 0,
            known: 0,
            forked: false,
            refused: Vec::new(),
        }))
    }

    fn step(
        &mut self,
        txn: &mut Txn<'_>,
        batch: &Batch,
        record: &TakenRecord,
    ) -> Result<(), StorageError> {
        let next = ChainPosition { seq: record.link.seq, head: record.head };
        // Only what is at or below a tip may be held already, and not on a branch begun just now.
        if !self.moved
            && next.seq <= self.last_held
            && let Some(on) = branch_at(txn.sql(), &self.branches, next)?
        {
            self.known += 1;
            (self.at, self.on) = (next, Some(on));
            return Ok(());
        }
        let branch = self.successor(txn)?;
        let row = Row {
            branch,
            link: &record.link,
            head: record.head,
            received_at: batch.received_at,
            body: &record.body,
            event: record.event.as_ref(),
            refused: record.refused.as_ref(),
        };
        if let Some(refused) = insert(txn, &row)? {
            self.refused.push((record.link.seq, refused));
        }
        self.new += 1;
        self.moved = true;
        (self.at, self.on) = (next, Some(branch));
        Ok(())
    }

    /// The branch on which the next record goes: the one this is the tip of, or a new one.
    fn successor(&mut self, txn: &Txn<'_>) -> Result<BranchId, StorageError> {
        if self.moved
            && let Some(on) = self.on
        {
            return Ok(on);
        }
        let at_tip =
            self.branches.iter().find(|branch| Some(branch.branch) == self.on && branch.tip == self.at);
        if let Some(tip) = at_tip {
            return Ok(tip.branch);
        }
        self.forked = !self.branches.is_empty();
        begin(txn.sql(), self.chain, self.on, self.at)
    }

    fn end(self, txn: &Txn<'_>) -> Result<Taken, StorageError> {
        if let (true, Some(on)) = (self.moved, self.on) {
            move_tip(txn.sql(), on, self.at)?;
        }
        let Self { new, known, forked, at: tip, refused, .. } = self;
        Ok(Taken::Accepted { new, known, forked, tip, refused })
    }
}
