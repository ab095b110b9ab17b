//! Parallel: the same work on many places, over all cores.

use std::{
    num::NonZero,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// How many places are taken at once: enough that taking them costs nothing.
pub(super) const AT_ONCE: usize = 256;

/// How many cores there are to work on.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The places from 0 to `count`, in the parts that are worked on at once.
pub(super) fn part(number: usize, count: usize) -> Option<Range<usize>> {
    let from = number.checked_mul(AT_ONCE).filter(|from| *from < count)?;
    Some(from..count.min(from + AT_ONCE))
}

/// Works on every part, and returns what each came to, in order.
pub(super) fn every_part<T: Send>(count: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..cores() {
            scope.spawn(|| {
                while let Some(part) = part(next.fetch_add(1, Ordering::Relaxed), count) {
                    let from = part.start;
                    let result = work(part);
                    done.lock()
                        .unwrap_or_else(|poisoned| poisoned.into_inner())
                        .push((from, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    done.sort_by_key(|(from, _)| *from);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_worked_on_once_and_in_order() {
        for count in [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE * 7 + 3] {
            let places: Vec<usize> =
                every_part(count, |part| part.collect::<Vec<_>>()).into_iter().flatten().collect();
            assert_eq!(places, (0..count).collect::<Vec<_>>());
        }
    }
}
