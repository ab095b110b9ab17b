//! Lock: one process has a state directory, and says in the lock's file if it is an agent.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use crate::file::{self, FileError};

use super::error::SiteError;

const NAME: &str = "lock";
/// Before the number of an agent's process.
const AGENT: &str = "agent ";
/// Longer than what an agent says.
const SAID_MAX_BYTES: usize = 64;

/// A state directory, taken for this process for as long as this lives.
pub(super) struct Lock(File);

impl Lock {
    /// Takes a state directory, making it on a first start.
    pub(super) fn take(state_dir: &Path) -> Result<Self, SiteError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(state_dir)
            .map_err(FileError::of("create", state_dir))?;
        let path = state_dir.join(NAME);
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            let odd = io::Error::other("it is not a regular file");
            return Err(FileError::of("open", &path)(odd).into());
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(FileError::of("open", &path))?;
        match file.try_lock() {
            Ok(()) => {
                let lock = Self(file);
                lock.say("");
                Ok(lock)
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(SiteError::Locked { path: state_dir.to_owned(), agent: agent_in(&path) })
            }
            Err(std::fs::TryLockError::Error(source)) => {
                Err(FileError::of("lock", &path)(source).into())
            }
        }
    }

    /// Says that an agent has it: it stays, where a verb is soon done.
    pub(super) fn is_an_agents(&self) {
        self.say(&format!("{AGENT}{}\n", std::process::id()));
    }

    fn say(&self, words: &str) {
        // It only makes a refusal quicker: a disk that is full keeps nobody from serving.
        let said: io::Result<()> =
            self.0.set_len(0).and_then(|()| (&self.0).write_all(words.as_bytes()));
        let _ = said;
    }
}

/// The process of the agent that has it, if one said so.
fn agent_in(path: &Path) -> Option<u32> {
    let said = file::read(path, SAID_MAX_BYTES).ok()?;
    std::str::from_utf8(&said).ok()?.strip_prefix(AGENT)?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(state_dir: &Path) -> Option<u32> {
        match Lock::take(state_dir) {
            Err(SiteError::Locked { agent, .. }) => agent,
            _ => panic!("it is taken"),
        }
    }

    #[test]
    fn an_agent_says_so_and_whoever_comes_after_it_takes_that_back() {
        let place = tempfile::tempdir().unwrap();
        let agent = Lock::take(place.path()).unwrap();
        assert_eq!(holder(place.path()), None, "it has said nothing yet");
        agent.is_an_agents();
        assert_eq!(holder(place.path()), Some(std::process::id()));
        drop(agent);
        let _verb = Lock::take(place.path()).unwrap();
        assert_eq!(holder(place.path()), None);
    }
}
