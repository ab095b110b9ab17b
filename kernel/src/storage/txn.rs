//! One operation's view of the transaction its group shares.

use std::collections::HashMap;

use rusqlite::Connection;

use farhold_audit::ChainPosition;
use farhold_contract::id::TenantId;

use super::directory::{Change, Directory};

/// The open transaction, and what becomes true in memory once it is committed.
pub(super) struct Txn<'t> {
    sql: &'t Connection,
    staged: Staged,
    numbers: &'t mut Numbers,
}

/// What the writer keeps in memory between groups.
pub(super) struct Live {
    /// The branch the Kernel's own records are linked to.
    pub(super) own_branch: i64,
    /// Its last record and head.
    pub(super) own: ChainPosition,
    pub(super) numbers: Numbers,
}

/// Tenants and types by their small numbers: a cache, dropped whenever anything is taken back.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) tenants: HashMap<TenantId, i64>,
    pub(super) kinds: HashMap<String, i64>,
}

/// What a group changes in memory, if it is committed.
pub(super) struct Staged {
    pub(super) own_branch: i64,
    pub(super) own: ChainPosition,
    changes: Vec<Change>,
}

/// Where the stage stood before an operation.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    own: ChainPosition,
    changes: usize,
}

impl<'t> Txn<'t> {
    pub(super) fn new(sql: &'t Connection, live: &'t mut Live) -> Self {
        let staged = Staged { own_branch: live.own_branch, own: live.own, changes: Vec::new() };
        Self { sql, staged, numbers: &mut live.numbers }
    }

    pub(super) const fn sql(&self) -> &'t Connection {
        self.sql
    }

    pub(super) const fn staged(&mut self) -> &mut Staged {
        &mut self.staged
    }

    pub(super) const fn numbers(&mut self) -> &mut Numbers {
        self.numbers
    }

    /// Says what is to be changed in the directory at the commit.
    pub(super) fn change(&mut self, change: Change) {
        self.staged.changes.push(change);
    }

    pub(super) const fn mark(&self) -> Mark {
        Mark { own: self.staged.own, changes: self.staged.changes.len() }
    }

    pub(super) fn rewind(&mut self, to: Mark) {
        self.staged.own = to.own;
        self.staged.changes.truncate(to.changes);
        // A number given in what is taken back may be given to another.
        *self.numbers = Numbers::default();
    }

    pub(super) fn into_staged(self) -> Staged {
        self.staged
    }
}

impl Staged {
    pub(super) fn publish(self, live: &mut Live, directory: &Directory) {
        live.own = self.own;
        directory.apply(self.changes);
    }
}
