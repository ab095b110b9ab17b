//! Slots: how many connections there may be at once, and who makes room.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use crate::watch::Watch;

/// How many connections there may be at once. Doors that share a clone share the number.
#[derive(Debug, Clone)]
pub struct Slots(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    free: Arc<Semaphore>,
    origin: Instant,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    watches: BTreeMap<u64, Arc<Watch>>,
}

/// One connection's place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) watch: Arc<Watch>,
    number: u64,
    slots: Slots,
    _permit: OwnedSemaphorePermit,
}

impl Slots {
    /// So many.
    pub fn new(connections: usize) -> Self {
        Self(Arc::new(Shared {
            free: Arc::new(Semaphore::new(connections)),
            origin: Instant::now(),
            taken: Mutex::default(),
        }))
    }

    /// How many connections there are.
    pub fn taken(&self) -> usize {
        self.lock().watches.len()
    }

    /// Waits for a place. While there is none, the connection that has been idle longest, and
    /// for at least `spare_time`, is asked to go.
    pub(crate) async fn take(&self, spare_time: Duration) -> Slot {
        loop {
            if self.0.free.available_permits() == 0 {
                self.make_room(spare_time);
            }
            let free = Arc::clone(&self.0.free);
            // The semaphore is never closed, so the only error is the time.
            if let Ok(Ok(permit)) = timeout(spare_time, free.acquire_owned()).await {
                return self.slot(permit);
            }
        }
    }

    /// Asks the connection that has been idle longest, and for at least `spare_time`, to go.
    pub(crate) fn make_room(&self, spare_time: Duration) {
        let spared_ms = self.0.origin.elapsed().saturating_sub(spare_time).as_millis();
        let taken = self.lock();
        let idlest = taken
            .watches
            .values()
            .filter_map(|watch| Some((watch.idle_since_ms()?, watch)))
            .min_by_key(|(since_ms, _)| *since_ms);
        if let Some((since_ms, watch)) = idlest
            && u128::from(since_ms) <= spared_ms
        {
            watch.want();
        }
    }

    fn slot(&self, permit: OwnedSemaphorePermit) -> Slot {
        let watch = Arc::new(Watch::new(self.0.origin, Instant::now()));
        let mut taken = self.lock();
        let number = taken.next;
        taken.next += 1;
        taken.watches.insert(number, Arc::clone(&watch));
        drop(taken);
        Slot { watch, number, slots: self.clone(), _permit: permit }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Each change is one insert or one remove: whole, whatever happened to its thread.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().watches.remove(&self.number);
    }
}
