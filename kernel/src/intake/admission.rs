//! Admission: how many batches there are at once, and how many bytes of them.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use farhold_api::Refusal;
use farhold_contract::{Code, id::RuntimeId};

use crate::{config::KernelLimits, refusal::COME_AGAIN};

/// Compressed bytes of all batches together, in KiB: each alone may be large, not all at once.
const BUFFERED_KIB: usize = 256 << 10;

/// How many batches there may be at once.
pub struct Intake {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    buffered_kib: Arc<Semaphore>,
    agents: Arc<Mutex<BTreeSet<RuntimeId>>>,
    disk_full: AtomicBool,
}

/// One batch's place, and what it holds; free again when dropped.
pub(crate) struct Place {
    buffered_kib: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    _place: OwnedSemaphorePermit,
    _agent: InFlight,
}

/// One agent's batch in flight.
struct InFlight {
    runtime_id: RuntimeId,
    agents: Arc<Mutex<BTreeSet<RuntimeId>>>,
}

impl Intake {
    /// As many as the limits say.
    pub fn new(limits: &KernelLimits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.batches + limits.batches_waiting)),
            turns: Arc::new(Semaphore::new(limits.batches)),
            buffered_kib: Arc::new(Semaphore::new(BUFFERED_KIB)),
            agents: Arc::default(),
            disk_full: AtomicBool::new(false),
        }
    }

    /// Notes whether the disk has room for batches: told when that turns, not at each batch.
    pub(crate) fn note_disk(&self, full: bool) {
        match (self.disk_full.swap(full, Ordering::Relaxed), full) {
            (false, true) => {
                tracing::error!("the disk has no room for batches; sites keep theirs until it has");
            }
            (true, false) => tracing::info!("the disk has room for batches again"),
            _ => {}
        }
    }

    /// A place for one batch of an agent.
    ///
    /// # Errors
    /// `audit.flood` while another of the same agent is in flight; `server.overloaded` while
    /// there are too many of others.
    pub(crate) fn admit(&self, runtime_id: RuntimeId) -> Result<Place, Refusal> {
        let agent = InFlight::of(runtime_id, &self.agents).ok_or_else(|| {
            Refusal::new(Code::AuditFlood, "another batch of this agent is in flight")
                .after(Duration::from_secs(1))
        })?;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| overloaded())?;
        Ok(Place {
            buffered_kib: Arc::clone(&self.buffered_kib),
            held: None,
            _place: place,
            _agent: agent,
        })
    }

    /// Waits for a turn to verify: each has a thread of its own.
    ///
    /// # Errors
    /// `server.overloaded` once the Kernel stops.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.turns).acquire_owned().await.map_err(|_| overloaded())
    }
}

impl Place {
    /// Makes room for so many bytes of the batch in all.
    ///
    /// # Errors
    /// `server.overloaded` while all batches together have none left.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        let has_kib = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more_kib = bytes.div_ceil(1 << 10).saturating_sub(has_kib);
        let more_kib = u32::try_from(more_kib).map_err(|_| overloaded())?;
        let more = Arc::clone(&self.buffered_kib)
            .try_acquire_many_owned(more_kib)
            .map_err(|_| overloaded())?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }
}

impl InFlight {
    fn of(runtime_id: RuntimeId, agents: &Arc<Mutex<BTreeSet<RuntimeId>>>) -> Option<Self> {
        lock(agents).insert(runtime_id).then(|| Self { runtime_id, agents: Arc::clone(agents) })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        lock(&self.agents).remove(&self.runtime_id);
    }
}

fn lock(agents: &Mutex<BTreeSet<RuntimeId>>) -> MutexGuard<'_, BTreeSet<RuntimeId>> {
    // Each change is one insert or one remove: whole, whatever happened to its thread.
    agents.lock().unwrap_or_else(PoisonError::into_inner)
}

fn overloaded() -> Refusal {
    Refusal::from(Code::ServerOverloaded).after(COME_AGAIN)
}
