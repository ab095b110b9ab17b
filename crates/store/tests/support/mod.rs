//! A store in a temporary folder, and events to put into it.

use std::time::Duration;

use farhold_audit::{Class, Epoch};
use farhold_bundle::KeyId;
use farhold_contract::{
    Timestamp,
    id::{EventId, TenantId},
};
use farhold_store::{Birth, Body, Opened, Store};
use tempfile::TempDir;

/// A state directory, and how a store in it is born.
pub(crate) struct Dir {
    /// The folder.
    pub(crate) folder: TempDir,
    /// What a new database is born with.
    pub(crate) birth: Birth,
}

impl Dir {
    pub(crate) fn new() -> Self {
        let birth =
            Birth { epoch: Epoch::new([7; 16]), device_key_id: KeyId::new([9; 32]), now: now() };
        Self { folder: tempfile::tempdir().unwrap(), birth }
    }

    pub(crate) fn open(&self) -> Opened {
        Store::open(self.folder.path(), &self.birth).unwrap()
    }

    pub(crate) fn store(&self) -> Store {
        self.open().store
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-22T07:00:00Z".parse().unwrap()
}

pub(crate) fn later(seconds: u64) -> Timestamp {
    now() + Duration::from_secs(seconds)
}

pub(crate) fn tenant(number: u8) -> TenantId {
    format!("01939b6e-3c5f-7a31-8b53-0f6f1c2d3e{number:02x}").parse().unwrap()
}

pub(crate) fn event_id(number: u64) -> EventId {
    format!("01939b6e-3c5f-7a31-8b53-{number:012x}").parse().unwrap()
}

/// An event whose text says which one it is.
pub(crate) fn body(number: u64, text: &str) -> Body {
    Body::new(tenant(1), Class::Usage, event_id(number), [3; 16], text.as_bytes().to_vec())
}

/// Appends so many events, each in a commit of its own.
pub(crate) fn fill(store: &mut Store, events: std::ops::RangeInclusive<u64>) {
    for number in events {
        let mut txn = store.begin().unwrap();
        txn.append(&body(number, &format!("event {number}")), now()).unwrap();
        txn.commit().unwrap();
    }
}
