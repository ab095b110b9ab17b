//! The file: locked by whoever writes, appended durably.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use farhold_bundle::TrustRoot;
use farhold_contract::{Code, Timestamp, id::IssuerId};
use farhold_ledger::{Act, Conflict, Ledger};

use super::{
    load::{End, Loaded, load, refuse_tail, refuse_too_long, unreadable},
    lock::locked,
    repair::{Repair, mend},
};
use crate::{file, refusal::Refusal};

/// A ledger that this process alone writes to, until it is dropped.
#[derive(Debug)]
pub struct LedgerFile {
    file: File,
    path: PathBuf,
    ledger: Ledger,
    length: u64,
    staged: Vec<u8>,
    mended: Option<Repair>,
}

/// Begins a ledger for the licenses of an issuer, in a new file.
///
/// # Errors
/// `output.exists`, `output.unwritable`.
pub fn begin(path: &Path, issuer: IssuerId, at: Timestamp) -> Result<Ledger, Refusal> {
    let (ledger, line) = Ledger::begin(issuer, at);
    file::write_new(path, &line)?;
    Ok(ledger)
}

impl LedgerFile {
    /// Opens a ledger for writing, locked and verified.
    ///
    /// What an interruption tore at its end was never acknowledged, and its license never written:
    /// it is put right first ([`LedgerFile::mended`]). Nothing else that is wrong is.
    ///
    /// # Errors
    /// `input.unreadable`, `ledger.broken`, `ledger.locked`; `trust.issuer_mismatch` for the
    /// ledger of another issuer than the root's; `output.unwritable` where a torn end can't be put
    /// right.
    pub fn open(path: &Path, root: &TrustRoot) -> Result<Self, Refusal> {
        let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(|error| {
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
        let Loaded { mut ledger, mut length, end } = load(path, &file, |_, _| Ok(()))?;
        require_issuer(path, &ledger, root)?;
        let mut mended = None;
        match end {
            End::Whole => {}
            End::Torn(torn) => {
                let entry = ledger.take_tail(&torn).map_err(|broken| refuse_tail(path, &broken))?;
                let whole = mend(path, &mut file, &torn, length, &ledger, entry.is_some())?;
                (length, mended) = (whole.length, Some(whole.repair));
            }
            // Its license was written: only a person can say what is to become of it.
            End::TooLong(_) => return Err(refuse_too_long(path, &ledger)),
        }
        Ok(Self { file, path: path.to_owned(), ledger, length, staged: Vec::new(), mended })
    }

    /// What was put right of a torn end when it was opened.
    pub const fn mended(&self) -> Option<&Repair> {
        self.mended.as_ref()
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
            Conflict::TooLong { .. } => refusal.with_next(
                "Say less in the reason, or bind it to fewer components: --bind device.",
            ),
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
