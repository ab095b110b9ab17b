//! The one transaction type: what it stages becomes real at the commit, and not before.

mod counters;
mod dead_letters;
mod idempotency;
mod own;
mod receipts;
mod records;
mod registry;

use std::collections::HashMap;

use rusqlite::{Connection, Transaction};

use farhold_audit::ChainPosition;
use farhold_contract::id::TenantId;
use farhold_policy::Counter;

use crate::{error::StoreError, store::Live};

pub use idempotency::{IdempotentAnswer, StoredAnswer};
pub use records::{Appended, Body};
pub use registry::{RuntimeRow, TokenRow};

/// A transaction of the store. Dropped without [`Txn::commit`], it leaves no trace.
pub struct Txn<'s> {
    transaction: Transaction<'s>,
    live: &'s mut Live,
    chain: ChainPosition,
    acknowledged_seq: u64,
    counters: HashMap<String, (TenantId, Counter)>,
    tenants: HashMap<TenantId, i64>,
}

impl<'s> Txn<'s> {
    pub(crate) fn new(transaction: Transaction<'s>, live: &'s mut Live) -> Self {
        let (chain, acknowledged_seq) = (live.chain, live.acknowledged_seq);
        Self {
            transaction,
            live,
            chain,
            acknowledged_seq,
            counters: HashMap::new(),
            tenants: HashMap::new(),
        }
    }

    /// Makes everything durable, then real.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]: nothing of it happened.
    pub fn commit(self) -> Result<(), StoreError> {
        self.write_counters()?;
        self.transaction.commit().map_err(StoreError::sqlite("commit"))?;
        self.live.chain = self.chain;
        self.live.acknowledged_seq = self.acknowledged_seq;
        self.live
            .counters
            .extend(self.counters.into_iter().map(|(key, (_, counter))| (key, counter)));
        self.live.tenants.extend(self.tenants);
        Ok(())
    }

    /// The last record receipted, as it will be; 0 for none.
    pub const fn acknowledged_seq(&self) -> u64 {
        self.acknowledged_seq
    }

    pub(crate) fn sql(&self) -> &Connection {
        &self.transaction
    }
}
