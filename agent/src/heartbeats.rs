//! Heartbeats: how the site's runtimes said they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use farhold_contract::{Timestamp, call::heartbeat::Health, id::RuntimeId};

/// How runtimes said they are, in this run of the agent.
#[derive(Default)]
pub struct Heartbeats(Mutex<Heard>);

#[derive(Default)]
struct Heard {
    last: BTreeMap<RuntimeId, (Health, Timestamp)>,
    unwritten: BTreeSet<RuntimeId>,
}

impl Heartbeats {
    /// A runtime has said how it is.
    pub fn note(&self, runtime_id: RuntimeId, health: Health, at: Timestamp) {
        let mut heard = self.heard();
        heard.last.insert(runtime_id, (health, at));
        heard.unwritten.insert(runtime_id);
    }

    /// What was said since this was asked last, to be written.
    pub fn unwritten(&self) -> Vec<(RuntimeId, Health)> {
        let mut heard = self.heard();
        let unwritten = std::mem::take(&mut heard.unwritten);
        unwritten.into_iter().filter_map(|id| Some((id, heard.last.get(&id)?.0))).collect()
    }

    /// What a runtime said last, and when.
    pub fn last(&self, runtime_id: RuntimeId) -> Option<(Health, Timestamp)> {
        self.heard().last.get(&runtime_id).copied()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
