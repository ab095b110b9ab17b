//! The file: locked by whoever writes, verified by whoever reads, appended durably.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use farhold_bundle::TrustRoot;
use farhold_contract::{Code, Timestamp, id::IssuerId};
use farhold_ledger::{Act, Broken, Conflict, Entry, LIMITS, Ledger};

use crate::{export::next_line, file, refusal::Refusal};

/// A ledger that this process alone writes to, until it is dropped.
#[derive(Debug)]
pub struct LedgerFile {
    file: File,
    path: PathBuf,
    ledger: Ledger,
    length: u64,
    staged: Vec<u8>,
}

/// How long another process is waited for: an entry takes milliseconds, a hundred thousand a few
/// seconds.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// Begins a ledger for the licenses of an issuer, in a new file.
///
/// # Errors
/// `output.exists`, `output.unwritable`.
pub fn begin(path: &Path, issuer: IssuerId, at: Timestamp) -> Result<Ledger, Refusal> {
    let (ledger, line) = Ledger::begin(issuer, at);
    file::write_new(path, &line)?;
    Ok(ledger)
}

/// Reads and verifies a whole ledger.
///
/// # Errors
/// `input.unreadable`, `ledger.broken`, `ledger.locked`.
pub fn read(path: &Path) -> Result<Ledger, Refusal> {
    visit(path, |_, _| Ok(()))
}

/// Reads and verifies a whole ledger, entry by entry with its line.
///
/// # Errors
/// As [`read`], and what `each` refuses.
pub fn visit(
    path: &Path,
    each: impl FnMut(&Entry, &[u8]) -> Result<(), Refusal>,
) -> Result<Ledger, Refusal> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    locked(path, || file.try_lock_shared())?;
    load(path, &file, each).map(|(ledger, _)| ledger)
}

impl LedgerFile {
    /// Opens a ledger for writing, locked and verified.
    ///
    /// # Errors
    /// `input.unreadable`, `ledger.broken`, `ledger.locked`; `trust.issuer_mismatch` for the
    /// ledger of another issuer than the root's.
    pub fn open(path: &Path, root: &TrustRoot) -> Result<Self, Refusal> {
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(|error| {
            let refusal = unreadable(path, &error);
            match error.kind() {
                io::ErrorKind::NotFound => refusal.with_next(format!(
                    "Check the path; the first ledger is begun once: license-tool ledger begin {}.",
                    path.display()
                )),
                _ => refusal,
            }
        })?;
        locked(path, || file.try_lock())?;
        let (ledger, length) = load(path, &file, |_, _| Ok(()))?;
        require_issuer(path, &ledger, root)?;
        Ok(Self { file, path: path.to_owned(), ledger, length, staged: Vec::new() })
    }

    /// What it holds, staged entries included.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Adds one entry and makes it durable.
    ///
    /// # Errors
    /// `ledger.conflict`, `output.unwritable`.
    pub fn enter(&mut self, at: Timestamp, act: Act) -> Result<(), Refusal> {
        self.stage(at, act)?;
        self.commit()
    }

    /// Adds one entry that is not durable before [`LedgerFile::commit`].
    ///
    /// # Errors
    /// `ledger.conflict`.
    pub fn stage(&mut self, at: Timestamp, act: Act) -> Result<(), Refusal> {
        let line = self.ledger.append(at, act).map_err(|conflict| self.refuse(&conflict))?;
        self.staged.extend_from_slice(&line);
        Ok(())
    }

    /// Makes everything staged durable.
    ///
    /// # Errors
    /// `output.unwritable`; what was staged is then not in the file.
    pub fn commit(&mut self) -> Result<(), Refusal> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.staged).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // No license of these was written. What is left of them would be a torn line.
            let _ = self.file.set_len(self.length).and_then(|()| self.file.sync_data());
            let what = format!("the ledger {} can't be written: {error}", self.path.display());
            return Err(Refusal::new(Code::OutputUnwritable, what));
        }
        self.length += self.staged.len() as u64;
        self.staged.clear();
        Ok(())
    }

    fn refuse(&self, conflict: &Conflict) -> Refusal {
        let refusal = Refusal::from_error(conflict.code(), conflict).of_file(&self.path);
        match conflict {
            Conflict::OtherLine { .. } => {
                refusal.with_next("Give the license a license_id of its own: --new-id.")
            }
            _ => refusal.with_next("Leave out --serial: the ledger takes the next one."),
        }
    }
}

/// Refuses the ledger of another issuer.
fn require_issuer(path: &Path, ledger: &Ledger, root: &TrustRoot) -> Result<(), Refusal> {
    let issuer = root.root().issuer.id;
    match ledger.issuer() {
        Some(own) if own != issuer => {
            let what = format!("it is the ledger of issuer {own}, and the root is of {issuer}");
            Err(Refusal::new(Code::TrustIssuer, what).of_file(path))
        }
        _ => Ok(()),
    }
}

/// Reads from the beginning; the ledger, and how many bytes it has.
fn load(
    path: &Path,
    mut file: &File,
    mut each: impl FnMut(&Entry, &[u8]) -> Result<(), Refusal>,
) -> Result<(Ledger, u64), Refusal> {
    file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(path, &error))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut ledger = Ledger::empty();
    let mut line = Vec::new();
    let mut length = 0;
    while next_line(&mut reader, LIMITS.line_bytes, &mut line)
        .map_err(|refusal| refusal.of_file(path))?
    {
        let entry = ledger.take(&line).map_err(|broken| refuse_broken(path, &broken))?;
        each(&entry, &line)?;
        length += line.len() as u64;
    }
    if ledger.issuer().is_none() {
        return Err(refuse_broken(path, &Broken::Beginning { line: 1 }));
    }
    Ok((ledger, length))
}

/// Opens a ledger for repair: locked, and not yet read.
pub(super) fn open_locked(path: &Path) -> Result<File, Refusal> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| unreadable(path, &error))?;
    locked(path, || file.try_lock())?;
    Ok(file)
}

pub(super) fn refuse_broken(path: &Path, broken: &Broken) -> Refusal {
    let refusal = Refusal::from_error(broken.code(), broken).of_file(path);
    if broken.is_torn() {
        return refusal.with_next(format!(
            "Whoever wrote it was interrupted: license-tool ledger repair {}.",
            path.display()
        ));
    }
    refusal
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Refusal {
    let what = format!("the ledger {} can't be read: {error}", path.display());
    Refusal::new(Code::InputUnreadable, what)
}

/// Waits a while for whoever has the ledger.
fn locked(path: &Path, try_lock: impl Fn() -> Result<(), TryLockError>) -> Result<(), Refusal> {
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
