//! The Kernel's own chain: what runtimes hand to it directly, and what it did itself.

use rusqlite::Connection;

use farhold_audit::{ChainPosition, Class, EventHead, Opening, Previous, event_hash};
use farhold_contract::{
    Sha256Digest, Timestamp,
    id::{EventId, RuntimeId, TenantId},
};

use super::{
    super::{
        OwnChain, Storage,
        error::StorageError,
        txn::{Live, Numbers, Txn},
    },
    branch::{BranchId, begin, move_tip, of_id},
    chain,
    insert::{Known, Row, known, write},
    record::{EventIdentity, TakenBody},
};

/// An event for the Kernel's own chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRecord {
    /// When it is linked.
    pub recorded_at: Timestamp,
    /// In whose context.
    pub tenant_id: TenantId,
    /// The runtime it names, if one.
    pub runtime_id: Option<RuntimeId>,
    /// Its class.
    pub class: Class,
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub kind: String,
    /// What its hash is salted with: 16 random bytes.
    pub salt: [u8; 16],
    /// Its bytes.
    pub event: Vec<u8>,
    /// The hash of salt and bytes.
    pub event_hash: Sha256Digest,
}

/// What appending came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is this record.
    Record(u64),
    /// The same event was kept before.
    Duplicate,
    /// Another event with this id was kept before.
    Conflict,
}

impl OwnRecord {
    /// Makes a record of an event that was looked into.
    pub fn new(recorded_at: Timestamp, head: &EventHead, salt: [u8; 16], event: Vec<u8>) -> Self {
        Self {
            recorded_at,
            tenant_id: head.tenant_id,
            runtime_id: head.runtime_id,
            class: head.class,
            event_id: head.event_id,
            kind: head.kind.clone(),
            event_hash: event_hash(&salt, &event),
            salt,
            event,
        }
    }
}

impl Storage {
    /// Links events into the Kernel's own chain, one durable group; one outcome an event.
    ///
    /// # Errors
    /// [`StorageError`]: none was kept.
    pub async fn append_own(&self, events: Vec<OwnRecord>) -> Result<Vec<Appended>, StorageError> {
        let bytes = events.iter().map(|event| event.event.len() + 256).sum();
        self.write_weighing(bytes, move |txn| {
            let appended = events.into_iter().map(|event| link(txn, event)).collect();
            keep_tip(txn)?;
            appended
        })
        .await
    }

    /// How the Kernel's own chain began, and where it stands.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn own_chain(&self) -> Result<(Opening, ChainPosition), StorageError> {
        // A Kernel that changed its receipt key has one chain of each.
        let own = self.inner.own;
        self.read(move |sql| {
            let branch = of_id(sql, own)?.ok_or(StorageError::Row { what: "branch" })?;
            Ok((branch.opening, branch.tip))
        })
        .await
    }
}

/// Opens the Kernel's own chain, or begins it.
pub(in super::super) fn open_own_chain(
    connection: &mut Connection,
    own: OwnChain,
) -> Result<Live, StorageError> {
    let transaction =
        connection.transaction().map_err(StorageError::unavailable("open the Kernel's chain"))?;
    let known = chain::own(&transaction, own.key_id)?;
    let (branch, tip) = match known
        .and_then(|chain| chain.first)
        .map(|first| of_id(&transaction, first))
        .transpose()?
    {
        Some(Some(branch)) => (branch.branch, branch.tip),
        _ => {
            let previous = Previous::NONE;
            let opening = Opening { device_key_id: own.key_id, epoch: own.epoch, previous };
            let start = ChainPosition::start(&opening);
            let chain = chain::begin(&transaction, &opening, None)?;
            (begin(&transaction, chain, None, start)?, start)
        }
    };
    transaction.commit().map_err(StorageError::unavailable("open the Kernel's chain"))?;
    Ok(Live { own_branch: branch.0, own: tip, numbers: Numbers::default() })
}

/// Links an event inside an operation.
pub(in super::super) fn append(
    txn: &mut Txn<'_>,
    event: OwnRecord,
) -> Result<Appended, StorageError> {
    let appended = link(txn, event)?;
    keep_tip(txn)?;
    Ok(appended)
}

/// Links an event; the branch's tip is to be kept after the last.
fn link(txn: &mut Txn<'_>, event: OwnRecord) -> Result<Appended, StorageError> {
    match known(txn, event.event_id, event.tenant_id, &event.event)? {
        Known::No => {}
        Known::Same(_) => return Ok(Appended::Duplicate),
        Known::Other => return Ok(Appended::Conflict),
    }
    let OwnRecord { event_id, kind, runtime_id, salt, event: bytes, .. } = event;
    let mut own = txn.staged().own;
    let link = own.append(event.recorded_at, event.tenant_id, event.class, event.event_hash);
    let row = Row {
        branch: BranchId(txn.staged().own_branch),
        link: &link,
        head: own.head,
        received_at: event.recorded_at,
        body: &TakenBody::Kept { salt, event: bytes },
        event: Some(&EventIdentity { event_id, kind, runtime_id }),
        refused: None,
    };
    write(txn, &row, None, None)?;
    txn.staged().own = own;
    Ok(Appended::Record(link.seq))
}

fn keep_tip(txn: &mut Txn<'_>) -> Result<(), StorageError> {
    let (branch, tip) = (BranchId(txn.staged().own_branch), txn.staged().own);
    move_tip(txn.sql(), branch, tip)
}
