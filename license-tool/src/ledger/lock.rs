//! Lock: a ledger has one writer.

use std::{fs::TryLockError, path::Path, thread, time::Duration};

use farhold_contract::Code;

use crate::refusal::Refusal;

/// How long another process is waited for: an entry takes milliseconds, a hundred thousand a few
/// seconds.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// Waits a while for whoever has the ledger.
///
/// # Errors
/// `ledger.locked`; `input.unreadable` where the file system knows no locks.
pub(super) fn locked(
    path: &Path,
    try_lock: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), Refusal> {
    for _ in 0..=PATIENCE.as_millis() / PAUSE.as_millis() {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => {
                let what = format!("the ledger {} can't be locked: {error}", path.display());
                return Err(Refusal::new(Code::InputUnreadable, what)
                    .with_next("Keep the ledger on a file system that knows locks."));
            }
        }
    }
    let what = format!("another process is writing to the ledger {}", path.display());
    Err(Refusal::new(Code::LedgerLocked, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_the_ledger_is_waited_for_and_then_named() {
        let tries = std::cell::Cell::new(0_u32);
        let free_at_third = || {
            tries.set(tries.get() + 1);
            if tries.get() < 3 { Err(TryLockError::WouldBlock) } else { Ok(()) }
        };
        locked(Path::new("ledger"), free_at_third).unwrap();
        assert_eq!(tries.get(), 3);
    }
}
