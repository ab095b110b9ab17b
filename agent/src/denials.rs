//! Refusals of the last minute, where the doors and the owner share them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use farhold_policy::Denials;

/// Refusals of the last minute. Only refusals come here: an allowed check takes no lock.
#[derive(Default)]
pub struct SharedDenials(Mutex<Denials>);

impl SharedDenials {
    /// Held for one step: each leaves them whole, whatever happens to its thread.
    pub fn held(&self) -> MutexGuard<'_, Denials> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
