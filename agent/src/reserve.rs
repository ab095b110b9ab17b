//! Room kept back on the disk: a file that takes it up, and is given up when rights need it.
//!
//! A full disk must not keep a license from being imported, a quota from being used, or an agent
//! from starting. Events wait instead: what their senders still have is not lost
//! (`docs/decisions/0037-a-reserve-for-a-full-disk.md`).

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FallocateFlags, fallocate, statvfs},
    io::Errno,
};

/// The file's name in the state directory.
pub const RESERVE: &str = "reserve";

/// A whole bundle, its second copy and the database's log, several times over.
const MOST_BYTES: u64 = 64 << 20;
/// The largest part of a small filesystem that is kept back: one in so many.
const SHARE: u64 = 64;
/// Enough to open the database and use up quotas.
const LEAST_BYTES: u64 = 256 << 10;

/// The reserve of one state directory.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// The reserve of a state directory, whether it is there or not.
    pub fn of(state_dir: &Path) -> Self {
        let total = statvfs(state_dir).map_or(0, |fs| fs.f_blocks.saturating_mul(fs.f_frsize));
        Self {
            path: state_dir.join(RESERVE),
            bytes: (total / SHARE).clamp(LEAST_BYTES, MOST_BYTES),
        }
    }

    /// Whether so little is free that what rights need may find no room.
    pub fn is_needed(&self) -> bool {
        self.free_bytes().is_some_and(|free| free < self.bytes)
    }

    /// Whether it is there, and can still be given up.
    pub fn stands(&self) -> bool {
        self.path.exists()
    }

    /// Gives its room back to the disk; says whether there was any.
    pub fn give_up(&self) -> bool {
        let given_up = fs::remove_file(&self.path).is_ok();
        if given_up {
            tracing::warn!(
                bytes = self.bytes,
                "the disk is full: the reserve is given up, so that licenses and quotas go on; free space"
            );
        }
        given_up
    }

    /// Takes the room up again, where as much stays free besides.
    ///
    /// # Errors
    /// What the system says; nothing is left half made.
    pub fn keep(&self) -> io::Result<()> {
        let roomy = self.free_bytes().is_some_and(|free| free / 2 >= self.bytes);
        if self.stands() || !roomy {
            return Ok(());
        }
        // One that was left half made by a crash holds less, and is still worth giving up.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path)?;
        let taken = match fallocate(&file, FallocateFlags::empty(), 0, self.bytes) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => write_out(file, self.bytes),
            taken => taken.map_err(io::Error::from),
        };
        taken.inspect_err(|_| {
            let _ = fs::remove_file(&self.path);
        })
    }

    fn free_bytes(&self) -> Option<u64> {
        free_bytes(self.path.parent()?)
    }
}

/// What a directory's filesystem has free for this process, in bytes; none if it doesn't say.
pub(crate) fn free_bytes(directory: &Path) -> Option<u64> {
    let fs = statvfs(directory).ok()?;
    Some(fs.f_bavail.saturating_mul(fs.f_frsize))
}

/// For a filesystem that can't promise room: zeros, written.
fn write_out(mut file: impl Write, bytes: u64) -> io::Result<()> {
    let zeros = [0; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let some = left.min(zeros.len() as u64);
        file.write_all(&zeros[..some as usize])?;
        left -= some;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_reserve_takes_up_real_room_and_is_given_up_once() {
        let directory = tempfile::tempdir().unwrap();
        let reserve = Reserve { path: directory.path().join(RESERVE), bytes: LEAST_BYTES };
        assert!(!reserve.give_up());
        reserve.keep().unwrap();
        reserve.keep().unwrap();
        let file = fs::metadata(directory.path().join(RESERVE)).unwrap();
        assert!(file.blocks() * 512 >= LEAST_BYTES, "{} blocks", file.blocks());
        assert_eq!(file.mode() & 0o777, 0o600);
        assert!(reserve.give_up());
        assert!(!reserve.stands());
    }

    #[test]
    fn a_disk_without_twice_the_room_keeps_none_back() {
        let directory = tempfile::tempdir().unwrap();
        let reserve = Reserve { path: directory.path().join(RESERVE), bytes: u64::MAX / 2 };
        assert!(reserve.is_needed());
        reserve.keep().unwrap();
        assert!(!reserve.stands());
    }

    #[test]
    fn what_cannot_be_promised_is_written() {
        let mut file = Vec::new();
        write_out(&mut file, 100_000).unwrap();
        assert_eq!(file.len(), 100_000);
    }
}
