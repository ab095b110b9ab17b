//! Repair: what was being written when someone pulled the plug.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use farhold_contract::Code;
use farhold_ledger::{Head, Ledger};

use super::{
    load::{End, Loaded, load, unreadable},
    lock::locked,
};
use crate::{file, refusal::Refusal};

/// What a repair came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Nothing was torn.
    Whole(Head),
    /// The last entry was whole and lacked its line feed alone: it stays.
    Completed(Head),
    /// A piece of an entry was moved out: no license of it can have been written.
    MovedOut {
        /// Where the piece is now.
        to: PathBuf,
        /// How many bytes it has.
        bytes: usize,
        /// Where the ledger stands.
        head: Head,
    },
    /// A last line was moved out that was longer than a line may be. Its license was written.
    CutOff {
        /// Where the line is now.
        to: PathBuf,
        /// How many bytes it has.
        bytes: usize,
        /// Where the ledger stands.
        head: Head,
    },
}

/// A ledger's file after its torn end was put right.
pub(super) struct Mended {
    pub(super) repair: Repair,
    /// How many bytes it has.
    pub(super) length: u64,
}

/// Repairs a last line that is torn or too long; whatever else is wrong is left as it is.
///
/// # Errors
/// `ledger.broken` for anything else, `ledger.locked`, `output.unwritable`.
pub fn repair(path: &Path) -> Result<Repair, Refusal> {
    let mut file = open_locked(path)?;
    let Loaded { mut ledger, length, end } = load(path, &file, |_, _| Ok(()))?;
    match end {
        End::Whole => Ok(Repair::Whole(ledger.head())),
        End::Torn(torn) => {
            // A person asked: what is whole by its form and does not follow is moved out as well.
            let is_whole = matches!(ledger.take_tail(&torn), Ok(Some(_)));
            mend(path, &mut file, &torn, length, &ledger, is_whole).map(|mended| mended.repair)
        }
        End::TooLong(line) => {
            let (bytes, head) = (line.len(), ledger.head());
            let to = move_out(path, &mut file, &line, length, head)?;
            Ok(Repair::CutOff { to, bytes, head })
        }
    }
}

/// Opens a ledger for repair: locked, and not yet read.
fn open_locked(path: &Path) -> Result<File, Refusal> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| unreadable(path, &error))?;
    locked(path, || file.try_lock())?;
    Ok(file)
}

/// Puts a torn end right: an entry that lacks its line feed alone gets it, anything else is moved
/// out. `ledger` has taken the former; `length` is that of the lines before.
///
/// # Errors
/// `output.unwritable`; the end is then as torn as it was.
pub(super) fn mend(
    path: &Path,
    file: &mut File,
    torn: &[u8],
    length: u64,
    ledger: &Ledger,
    is_whole: bool,
) -> Result<Mended, Refusal> {
    let head = ledger.head();
    if is_whole {
        file.seek(SeekFrom::End(0))
            .and_then(|_| file.write_all(b"\n"))
            .and_then(|()| file.sync_all())
            .map_err(|error| unwritable(path, &error))?;
        let length = length + torn.len() as u64 + 1;
        return Ok(Mended { repair: Repair::Completed(head), length });
    }
    let to = move_out(path, file, torn, length, head)?;
    Ok(Mended { repair: Repair::MovedOut { to, bytes: torn.len(), head }, length })
}

/// Cuts a ledger at `length` and keeps what stood after it.
fn move_out(
    path: &Path,
    file: &mut File,
    piece: &[u8],
    length: u64,
    head: Head,
) -> Result<PathBuf, Refusal> {
    // The copy first: nothing is lost, whatever happens in between.
    let to = keep(path, head, piece)?;
    file.set_len(length)
        .and_then(|()| file.sync_all())
        .map_err(|error| unwritable(path, &error))?;
    Ok(to)
}

fn unwritable(path: &Path, error: &io::Error) -> Refusal {
    let what = format!("the ledger {} can't be written: {error}", path.display());
    Refusal::new(Code::OutputUnwritable, what)
}

/// Keeps a piece beside the ledger, over no other.
fn keep(path: &Path, head: Head, piece: &[u8]) -> Result<PathBuf, Refusal> {
    let mut number = 1_u64;
    loop {
        let to = beside(path, head, number);
        match file::write_new(&to, piece) {
            Ok(()) => return Ok(to),
            Err(refusal) if refusal.code() == Code::OutputExists => {}
            Err(refusal) => return Err(refusal),
        }
        // By a repair that was itself interrupted, or by one of another piece at the same entry.
        if file::holds(&to, piece) {
            return Ok(to);
        }
        number += 1;
    }
}

fn beside(path: &Path, head: Head, number: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".torn-after-{}", head.seq));
    if number > 1 {
        name.push(format!(".{number}"));
    }
    PathBuf::from(name)
}
