//! Sightings: which files of the folder have stood still since they were seen.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

use rustix::fs::Stat;

/// A file that stood still for so many looks after the first is whole: whoever writes it has ended.
const LOOKS_STILL: u32 = 2;

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    device: u64,
    inode: u64,
    size: i64,
    modified: (i64, i64),
}

impl From<&Stat> for Seen {
    // The types of these members differ between architectures.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    fn from(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        }
    }
}

/// Every file that waits, by name: they are taken in that order.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    waiting: BTreeMap<OsString, Sighting>,
}

#[derive(Debug, Clone, Copy)]
struct Sighting {
    seen: Seen,
    still: u32,
    /// Looks to leave it alone for.
    pause: u32,
}

impl Sightings {
    /// Takes a look in; returns the names of those that have stood still for long enough.
    pub(super) fn standing_still(&mut self, seen: Vec<(OsString, Seen)>) -> Vec<OsString> {
        let before = std::mem::take(&mut self.waiting);
        let mut ready = Vec::new();
        for (name, seen) in seen {
            let sighting = match before.get(&name) {
                Some(last) if last.seen == seen => Sighting {
                    seen,
                    still: last.still.saturating_add(1).min(LOOKS_STILL),
                    pause: last.pause.saturating_sub(1),
                },
                _ => Sighting { seen, still: 0, pause: 0 },
            };
            if sighting.pause == 0 && sighting.still >= LOOKS_STILL {
                ready.push(name.clone());
            }
            self.waiting.insert(name, sighting);
        }
        ready.sort();
        ready
    }

    /// How a waiting file was seen last.
    pub(super) fn of(&self, name: &OsStr) -> Option<Seen> {
        self.waiting.get(name).map(|sighting| sighting.seen)
    }

    /// It is gone, or is to be seen anew.
    pub(super) fn forget(&mut self, name: &OsStr) {
        self.waiting.remove(name);
    }

    /// Leaves it alone for so many looks, unless it changes.
    pub(super) fn leave_alone(&mut self, name: &OsStr, looks: u32) {
        if let Some(sighting) = self.waiting.get_mut(name) {
            sighting.pause = looks;
        }
    }

    /// Whether a file is expected to have stood still soon.
    pub(super) fn expects_one(&self) -> bool {
        self.waiting.values().any(|sighting| sighting.pause == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(size: i64) -> Seen {
        Seen { device: 1, inode: 2, size, modified: (3, 4) }
    }

    fn look(sightings: &mut Sightings, size: i64) -> usize {
        sightings.standing_still(vec![("a.bundle".into(), seen(size))]).len()
    }

    #[test]
    fn a_file_that_grows_is_not_taken_until_it_stood_still_for_two_looks() {
        let mut sightings = Sightings::default();
        let sizes = [1, 1, 2, 2, 2];
        assert_eq!(sizes.map(|size| look(&mut sightings, size)), [0, 0, 0, 0, 1]);
        assert_eq!(look(&mut sightings, 2), 1, "it waits until it is taken");
    }

    #[test]
    fn a_file_left_alone_comes_back_after_its_time_or_when_it_changes() {
        let mut sightings = Sightings::default();
        for _ in 0..3 {
            look(&mut sightings, 1);
        }
        sightings.leave_alone(OsStr::new("a.bundle"), 2);
        assert_eq!([look(&mut sightings, 1), look(&mut sightings, 1)], [0, 1]);
        sightings.leave_alone(OsStr::new("a.bundle"), 100);
        assert!(!sightings.expects_one(), "nothing is expected soon");
        assert_eq!([1, 1, 1, 2, 2, 2].map(|size| look(&mut sightings, size)), [0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn a_file_taken_away_is_forgotten() {
        let mut sightings = Sightings::default();
        look(&mut sightings, 1);
        assert!(sightings.standing_still(Vec::new()).is_empty());
        assert!(!sightings.expects_one());
        assert_eq!([look(&mut sightings, 1), look(&mut sightings, 1)], [0, 0], "seen anew");
    }
}
