//! Load: a ledger read from its beginning, and what it ends in.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use farhold_contract::Code;
use farhold_ledger::{Broken, Entry, LIMITS, Ledger};

use super::lock::locked;
use crate::{export::next_line, refusal::Refusal};

/// What a ledger's file holds.
pub(super) struct Loaded {
    /// The whole lines.
    pub(super) ledger: Ledger,
    /// How many bytes they have.
    pub(super) length: u64,
    /// What stands after them.
    pub(super) end: End,
}

/// What stands after the last line that can be read.
pub(super) enum End {
    /// Nothing.
    Whole,
    /// What has no line feed: whoever wrote it was interrupted.
    Torn(Vec<u8>),
    /// A last line with its line feed that is longer than a line may be: once written by a version
    /// of this tool that did not look at it.
    TooLong(Vec<u8>),
}

/// More than anything that ever wrote an entry could write.
const END_MAX_BYTES: u64 = 16 << 20;

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
    let Loaded { ledger, end, .. } = load(path, &file, each)?;
    match end {
        End::Whole => Ok(ledger),
        End::Torn(torn) => {
            let line = ledger.head().seq + 1;
            Err(refuse_broken(path, &Broken::Torn { line, bytes: torn.len() }))
        }
        End::TooLong(_) => Err(refuse_too_long(path, &ledger)),
    }
}

/// Reads from the beginning, and verifies every whole line.
///
/// # Errors
/// `input.unreadable`; `ledger.broken` for anything but its end.
pub(super) fn load(
    path: &Path,
    mut file: &File,
    mut each: impl FnMut(&Entry, &[u8]) -> Result<(), Refusal>,
) -> Result<Loaded, Refusal> {
    file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(path, &error))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut ledger = Ledger::empty();
    let mut line = Vec::new();
    let mut length = 0;
    while next_line(&mut reader, LIMITS.line_bytes, &mut line)
        .map_err(|refusal| refusal.of_file(path))?
    {
        match ledger.take(&line) {
            Ok(entry) => each(&entry, &line)?,
            // Without its own beginning it is no ledger.
            Err(broken) if ledger.issuer().is_some() && has_no_end(&line) => {
                let end = end_of(path, &mut reader, line)?;
                let end = end.ok_or_else(|| refuse_broken(path, &too_long(broken.line())))?;
                return Ok(Loaded { ledger, length, end });
            }
            Err(broken) => return Err(refuse_broken(path, &broken)),
        }
        length += line.len() as u64;
    }
    if ledger.issuer().is_none() {
        return Err(refuse_broken(path, &Broken::Beginning { line: 1 }));
    }
    Ok(Loaded { ledger, length, end: End::Whole })
}

/// Whether what was read of a line is not all of it, as far as a line may go.
fn has_no_end(line: &[u8]) -> bool {
    line.last() != Some(&b'\n') || line.len() > LIMITS.line_bytes
}

/// What a ledger ends in, from the line that has no end; nothing where another line follows it.
fn end_of(path: &Path, reader: &mut impl Read, mut line: Vec<u8>) -> Result<Option<End>, Refusal> {
    let rest = reader.take(END_MAX_BYTES).read_to_end(&mut line);
    let rest = rest.map_err(|error| unreadable(path, &error))?;
    let is_all = (rest as u64) < END_MAX_BYTES;
    let first = line.iter().position(|&byte| byte == b'\n');
    Ok(match first {
        _ if !is_all => None,
        None => Some(End::Torn(line)),
        Some(at) if at + 1 == line.len() => Some(End::TooLong(line)),
        Some(_) => None,
    })
}

fn too_long(line: u64) -> Broken {
    let why = format!("it is longer than {} bytes", LIMITS.line_bytes);
    Broken::Malformed { line, why }
}

pub(super) fn refuse_broken(path: &Path, broken: &Broken) -> Refusal {
    let refusal = Refusal::from_error(broken.code(), broken).of_file(path);
    // A torn beginning is no ledger, and nothing to repair.
    if broken.is_torn() && broken.line() > 1 {
        return refusal.with_next(format!(
            "Whoever wrote it was interrupted, and its license was not written. What issues next \
             moves it aside and goes on; to do so now: license-tool ledger repair {}.",
            path.display()
        ));
    }
    refusal
}

/// Refuses an end that lacks its line feed, is whole by its form, and does not follow.
pub(super) fn refuse_tail(path: &Path, broken: &Broken) -> Refusal {
    refuse_broken(path, broken).with_next(format!(
        "No interruption leaves that: compare the ledger with a copy. Is the line worthless, \
         license-tool ledger repair {} moves it aside.",
        path.display()
    ))
}

/// Refuses a last line that nobody else can read.
pub(super) fn refuse_too_long(path: &Path, ledger: &Ledger) -> Refusal {
    refuse_broken(path, &too_long(ledger.head().seq + 1)).with_next(format!(
        "It is the last one: license-tool ledger repair {} moves it aside, and the ledger goes on.",
        path.display()
    ))
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Refusal {
    let what = format!("the ledger {} can't be read: {error}", path.display());
    Refusal::new(Code::InputUnreadable, what)
}
